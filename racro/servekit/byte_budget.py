"""How many bytes of request bodies a process holds at once."""

from racro.contracts.errors import Overloaded


class ByteBudget:
    """A number of bytes that requests take from and give back to; `taken` is what they have."""

    __slots__ = ("limit", "taken")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0

    def take(self, number: int) -> None:
        """Takes bytes. Raises Overloaded, and takes none, where fewer are left."""
        if self.taken + number > self.limit:
            raise Overloaded(
                "the bodies of the requests in flight leave no room for this one "
                f"(max_bytes_in_flight = {self.limit}); ask again later"
            )
        self.taken += number

    def give_back(self, number: int) -> None:
        """Gives bytes back that were taken."""
        self.taken -= number

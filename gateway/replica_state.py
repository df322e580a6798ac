"""What a gateway knows of one of several servers that do the same."""

import time

# A replica that failed is tried last for so long, unless a check finds it up.
_DOWN_S = 5.0


class ReplicaState:
    """Counts the requests that a replica has in flight, and remembers whether it is down."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._down_until = 0.0

    @property
    def is_down(self) -> bool:
        return time.monotonic() < self._down_until

    def mark_down(self, said_s: float | None = None) -> None:
        """Have it tried last for a while, or for as long as it says where that is less."""
        self._down_until = time.monotonic() + min(_DOWN_S if said_s is None else said_s, _DOWN_S)

    def mark_up(self) -> None:
        self._down_until = 0.0

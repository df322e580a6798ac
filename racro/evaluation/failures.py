"""What stops an evaluation, and what an item fails with."""


class EvaluationError(Exception):
    """The run cannot go on; the message is for the user."""


class ItemError(Exception):
    """One item got no answer; the others may. `code` tells of what kind, to be counted."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnansweredError(ItemError):
    """The gateway did not serve it, after all tries: if many fail so, it serves nobody."""

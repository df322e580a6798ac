"""What a gateway knows of one of several servers that do the same."""

import asyncio
import time
from collections.abc import Iterable

from racro.contracts.errors import UpstreamUnavailable

# One that has no room for a request is tried last for so long, or as it says itself.
_DOWN_S = 5.0
# One that gave no byte of an answer for so long until nobody waited any more may hang.
_SILENT_S = 30.0


class ReplicaState:
    """Counts the requests that a replica has in flight, and remembers whether it is down.

    One that `has_failed` is down until it answers something.
    """

    __slots__ = ("_busy_until", "has_failed", "in_flight")

    def __init__(self) -> None:
        self.in_flight = 0
        self.has_failed = False
        self._busy_until = 0.0

    @property
    def is_down(self) -> bool:
        """Whether others are to be tried before it."""
        return self.has_failed or time.monotonic() < self._busy_until

    def mark_busy(self, retry_after_s: float | None = None) -> None:
        """Have it tried last for five seconds, or for as long as it says where that is less."""
        wait_s = _DOWN_S if retry_after_s is None else min(retry_after_s, _DOWN_S)
        self._busy_until = time.monotonic() + wait_s

    def mark_down(self) -> None:
        self.has_failed = True

    def mark_up(self) -> None:
        self.has_failed = False
        self._busy_until = 0.0

    def note_unanswered(self, error: BaseException, *, silent_s: float) -> None:
        """Mark it down where a request ended with `error` because of it.

        Where nobody waited any more, it may hang after 30 seconds or more without a byte.
        """
        was_left = isinstance(error, asyncio.CancelledError)
        if isinstance(error, UpstreamUnavailable) or (was_left and silent_s >= _SILENT_S):
            self.mark_down()


class Silence:
    """Measures how long a server that is asked says nothing."""

    __slots__ = ("_now", "_since")

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._since = self._now()

    def end(self) -> None:
        """Note that it says something: from now on it is silent again."""
        self._since = self._now()

    @property
    def seconds(self) -> float:
        return self._now() - self._since


def problem_of(states: Iterable[ReplicaState]) -> str | None:
    """Tell how many of some replicas are down; None where all are, for others tell that."""
    failed = [state.has_failed for state in states]
    if all(failed) or not any(failed):
        return None
    count = sum(failed)
    return f"{count} of {len(failed)} copies {'is' if count == 1 else 'are'} down"

"""What a gateway knows of one of several servers that do the same."""

import asyncio
import time
from collections.abc import Iterable
from math import inf
from typing import Self

from racro.contracts.errors import UpstreamUnavailable

# One that has no room for a request is tried last for so long, or as it says itself.
_DOWN_S = 5.0
# One that gave no byte of an answer for so long until nobody waited any more may hang.
_SILENT_S = 30.0
# One that gives no byte to any of its requests for so long is asked whether it answers at all.
_DOUBTFUL_S = 10.0


class ReplicaState:
    """Counts the requests that a replica has in flight, and remembers whether it is down.

    One that `has_failed` is down until it answers something. `asked_at` is when it was last asked
    whether it does, by the monotonic clock.
    """

    __slots__ = ("_busy_until", "_silent_since", "_waiting", "asked_at", "has_failed", "in_flight")

    def __init__(self) -> None:
        self.in_flight = 0
        self._waiting = 0
        self._silent_since: float | None = None
        self.has_failed = False
        self.asked_at = -inf
        self._busy_until = 0.0

    @property
    def is_down(self) -> bool:
        """Whether others are to be tried before it."""
        return self.has_failed or time.monotonic() < self._busy_until

    @property
    def is_doubtful(self) -> bool:
        """Whether requests wait for it, and it has said nothing to any of them for 10 seconds.

        It may only be at work: whether it hangs is found out by asking it something small.
        """
        since = self._silent_since
        return self._waiting > 0 and since is not None and time.monotonic() - since >= _DOUBTFUL_S

    def note_byte(self) -> None:
        """Note that it says something: those that wait now are silent from here."""
        self._silent_since = time.monotonic() if self._waiting else None

    def begin_wait(self) -> None:
        """Note that a request waits for what it says.

        Silence begins with the first that is not answered, and only a byte ends it: clients that
        leave and come back one by one must not hide a server that hangs.
        """
        if self._silent_since is None:
            self._silent_since = time.monotonic()
        self._waiting += 1

    def end_wait(self) -> None:
        self._waiting -= 1

    def mark_busy(self, retry_after_s: float | None = None) -> None:
        """Have it tried last for five seconds, or for as long as it says where that is less."""
        wait_s = _DOWN_S if retry_after_s is None else min(retry_after_s, _DOWN_S)
        self._busy_until = time.monotonic() + wait_s

    def mark_down(self) -> None:
        self.has_failed = True

    def mark_up(self) -> None:
        self.note_byte()
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
    """Measures, in its block, how long a server that is asked says nothing to one request."""

    __slots__ = ("_now", "_since", "_state")

    def __init__(self, state: ReplicaState) -> None:
        self._state = state
        self._now = asyncio.get_running_loop().time
        self._since = self._now()

    def __enter__(self) -> Self:
        self._state.begin_wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._state.end_wait()
        if kind is None:
            # It was answered in full: nothing is left from which a silence could go on.
            self._state.note_byte()

    def end(self) -> None:
        """Note that it says something: from now on it is silent again."""
        self._since = self._now()
        self._state.note_byte()

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

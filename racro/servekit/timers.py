"""Things that happen at their time unless something comes before: one timer for all of a process.

A request has a deadline and a stream its keep-alive. Nearly none of them ever comes due, so setting
one has to be cheap, and being 10 ms late is no harm.
"""

import asyncio
import logging
from typing import Protocol
from weakref import WeakKeyDictionary

_PRECISION_S = 0.01
_log = logging.getLogger(__name__)


class Timed(Protocol):
    """Something that happens at `due`, in the event loop's time; it may put that off meanwhile."""

    @property
    def due(self) -> float: ...

    def on_due(self) -> None:
        """Happens. Afterwards `due` is later, or it has been removed."""


class Timers:
    """Calls each thing that was added when it is due, at most 10 ms late."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._all: set[Timed] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = 0.0

    def add(self, timed: Timed) -> None:
        """Have something happen at its time, until it is removed."""
        self._all.add(timed)
        if self._timer is None or timed.due < self._wakes_at:
            self._wake_at(timed.due)

    def remove(self, timed: Timed) -> None:
        """Forget something; the timer stays, for most likely another one comes."""
        self._all.discard(timed)

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = when
        self._timer = self._loop.call_at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self._loop.time()
        for timed in [one for one in self._all if one.due <= now]:
            try:
                timed.on_due()
            except Exception:  # noqa: BLE001
                # The others have their time all the same.
                _log.exception("unexpected error")
        if self._all:
            self._wake_at(max(now + _PRECISION_S, min(one.due for one in self._all)))


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Timers] = WeakKeyDictionary()


def timers(loop: asyncio.AbstractEventLoop) -> Timers:
    """Return the timers of an event loop."""
    found = _by_loop.get(loop)
    if found is None:
        found = _by_loop[loop] = Timers(loop)
    return found

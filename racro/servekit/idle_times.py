"""Ends what was idle for too long, with one timer for all that may be idle equally long."""

import asyncio
import logging
import math
from itertools import takewhile
from typing import Protocol
from weakref import WeakKeyDictionary

_log = logging.getLogger(__name__)


class Idle(Protocol):
    """Something that is told when it was idle for too long."""

    def on_idle(self) -> None: ...


class IdleTimes:
    """Tells each thing that was idle for `seconds`; beginning and ending to be idle costs little.

    A timer of its own for each connection, after each of its requests, took 2 µs, and one timer
    that looks for the earliest of thousands takes longer.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        # In the order in which they are due: all have the same time.
        self._due: dict[Idle, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, idle: Idle) -> None:
        """Note that something is idle from now on."""
        # One that was idle already is the last to be due now.
        self._due.pop(idle, None)
        self._due[idle] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._wake)

    def stop(self, idle: Idle) -> None:
        """Note that something is not idle, or not there any more."""
        self._due.pop(idle, None)

    def _wake(self) -> None:
        self._timer = None
        now = self._loop.time()
        late = [idle for idle, _ in takewhile(lambda one: one[1] <= now, self._due.items())]
        for due in self._due.values():
            if due > now:
                self._timer = self._loop.call_at(due, self._wake)
                break
        for idle in late:
            self._tell(idle, now)

    def _tell(self, idle: Idle, now: float) -> None:
        """Tell one that was idle for too long, unless the one before has ended that."""
        if self._due.get(idle, math.inf) > now:
            return
        del self._due[idle]
        try:
            idle.on_idle()
        except Exception:  # noqa: BLE001
            # The others are told all the same.
            _log.exception("unexpected error")


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, IdleTimes]] = WeakKeyDictionary()


def idle_times(loop: asyncio.AbstractEventLoop, seconds: float) -> IdleTimes:
    """Return what tells things of an event loop that were idle for so many seconds."""
    of_loop = _by_loop.setdefault(loop, {})
    if seconds not in of_loop:
        of_loop[seconds] = IdleTimes(loop, seconds)
    return of_loop[seconds]

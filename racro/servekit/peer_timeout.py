"""Bounds the wait for another process by time in which its answer could have been noticed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# An event loop that is late by this much was busy, and so were those that would have answered.
_BUSY_S = 0.005
_MOST_PERIODS = 3


@asynccontextmanager
async def peer_timeout(seconds: float) -> AsyncIterator[None]:
    """Cancel the block after `seconds`, and raise TimeoutError, as asyncio.timeout does.

    Where the event loop was busy with something else as the time was over, what came meanwhile has
    not been seen: the block gets the same time again, three times in all.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as timeout:
        periods = _Periods(loop, seconds, lambda: timeout.reschedule(loop.time()))
        try:
            yield
        finally:
            periods.stop()


class _Periods:
    """Calls `on_end` at the first end of a period that the event loop is there for in time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, on_end: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._on_end = on_end
        self._left = _MOST_PERIODS
        self._begin()

    def _begin(self) -> None:
        self._left -= 1
        due = self._loop.time() + self._seconds
        self._timer = self._loop.call_at(due, self._end, due)

    def _end(self, due: float) -> None:
        if self._left and self._loop.time() >= due + _BUSY_S:
            self._begin()
        else:
            self._on_end()

    def stop(self) -> None:
        self._timer.cancel()

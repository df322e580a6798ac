"""Comments that keep silent event streams open, by one timer for all streams of a process."""

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary


class Stream(Protocol):
    """A stream that has to say something before `silent_until`, in the event loop's time."""

    @property
    def silent_until(self) -> float: ...

    def break_silence(self) -> None:
        """Says something now; `silent_until` is later afterwards."""


class KeepAlives:
    """Has each of its streams break its silence when it is time to."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._streams: set[Stream] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, stream: Stream) -> None:
        self._streams.add(stream)
        if self._timer is None or stream.silent_until < self._timer.when():
            self._set_timer(stream.silent_until)

    def remove(self, stream: Stream) -> None:
        self._streams.discard(stream)
        if not self._streams and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._break_silences)

    def _break_silences(self) -> None:
        self._timer = None
        now = self._loop.time()
        for stream in self._streams:
            if stream.silent_until <= now:
                stream.break_silence()
        if self._streams:
            self._set_timer(min(stream.silent_until for stream in self._streams))


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, KeepAlives] = WeakKeyDictionary()


def keep_alives(loop: asyncio.AbstractEventLoop) -> KeepAlives:
    """Returns what keeps the streams of an event loop open."""
    found = _by_loop.get(loop)
    if found is None:
        found = _by_loop[loop] = KeepAlives(loop)
    return found

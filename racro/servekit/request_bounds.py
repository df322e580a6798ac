"""Bounds of what a client sends before it has an answer: of a request's head and of its body.

A head has a number of bytes and of seconds. A body has a least rate, which counts while somebody
waits for it; its size is bounded where it is read (`Exchange`).
"""

import asyncio
from collections.abc import Callable, Iterable

from racro.contracts.errors import HeadersTooLarge, RequestTimedOut
from racro.servekit.timers import timers

MAX_HEAD_BYTES = 32 * 2**10
HEAD_TIMEOUT_S = 30
BODY_TIMEOUT_S = 30
LEAST_BODY_BYTES_PER_S = 2**10
# Of BODY_TIMEOUT_S each: ten minutes for a whole body.
MOST_BODY_PERIODS = 20
_SEPARATORS = len(b": \r\n")


class HeadBounds:
    """The bytes and the seconds of the head that comes next on a connection.

    `is_next` says that the next byte belongs to one, `has_started` that some of it has come. After
    `timeout_s`, from `expect` on, `on_late` is called.
    """

    __slots__ = (
        "_bytes",
        "_first_read_bytes",
        "_loop",
        "_on_late",
        "_read_bytes",
        "_timer",
        "has_started",
        "is_next",
        "timeout_s",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, timeout_s: float, on_late: Callable[[], None]
    ) -> None:
        self.is_next = True
        self.has_started = False
        self.timeout_s = timeout_s
        self._loop = loop
        self._on_late = on_late
        self._timer: asyncio.TimerHandle | None = None
        # Without the read that began with something else: it cannot be told how much of it was.
        self._bytes = 0
        self._read_bytes = self._first_read_bytes = 0

    @property
    def is_timed(self) -> bool:
        return self._timer is not None

    @property
    def is_too_large(self) -> bool:
        """Whether a head that is not complete is over the limit already."""
        return self.is_next and self._bytes > MAX_HEAD_BYTES

    def expect(self) -> None:
        """Starts the time of a head."""
        self._timer = self._loop.call_later(self.timeout_s, self._on_late)

    def stop(self) -> None:
        """Ends the time of a head."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def count(self, number: int) -> None:
        """Notes the size of a read, before it is parsed."""
        self._read_bytes = number
        if self.is_next:
            self._bytes += number

    def start(self) -> None:
        """Notes the first byte of a head."""
        self.is_next = self.has_started = True
        self._first_read_bytes = self._read_bytes

    def end(self, url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Notes the end of a head, and returns whether it is within the limit."""
        self.is_next = self.has_started = False
        self.stop()
        most, self._bytes = self._first_read_bytes + self._bytes, 0
        # Most heads are in one small read, and need not be counted.
        if most <= MAX_HEAD_BYTES:
            return True
        lengths = (len(name) + len(value) + _SEPARATORS for name, value in headers)
        return len(url) + sum(lengths) <= MAX_HEAD_BYTES


class BodyRate:
    """The rate of a body that is waited for: at least 1 KiB a second, over `timeout_s` each.

    A body has twenty such periods in all. `received` says how much has come and `is_waited_for`
    whether more is wanted now; `on_late` is called when too little came.
    """

    __slots__ = (
        "_before",
        "_is_waited_for",
        "_on_late",
        "_periods",
        "_received",
        "_timeout_s",
        "_timers",
        "due",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        timeout_s: float,
        *,
        received: Callable[[], int],
        is_waited_for: Callable[[], bool],
        on_late: Callable[[], None],
    ) -> None:
        self._timers = timers(loop)
        self._timeout_s = timeout_s
        self._received = received
        self._is_waited_for = is_waited_for
        self._on_late = on_late
        self._before = received()
        self._periods = 0
        self.due = loop.time() + timeout_s
        self._timers.add(self)

    def on_due(self) -> None:
        """Looks at what came since the last time."""
        received = self._received()
        self._periods += 1
        least = self._timeout_s * LEAST_BODY_BYTES_PER_S
        is_slow = received - self._before < least or self._periods >= MOST_BODY_PERIODS
        if is_slow and self._is_waited_for():
            self.stop()
            self._on_late()
        else:
            self._before = received
            self.due += self._timeout_s

    def stop(self) -> None:
        self._timers.remove(self)


def head_too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"the request's line and headers are over {MAX_HEAD_BYTES} bytes")


def head_too_slow(timeout_s: float) -> RequestTimedOut:
    return RequestTimedOut(f"the request's head took over {timeout_s} s")


def body_too_slow(timeout_s: float) -> RequestTimedOut:
    return RequestTimedOut(
        f"less than {LEAST_BODY_BYTES_PER_S} bytes a second of the request's body came within "
        f"{timeout_s} s, or it took over {MOST_BODY_PERIODS * timeout_s} s"
    )

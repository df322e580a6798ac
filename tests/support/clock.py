"""Event loops whose clock a test owns, so that no busy machine can make anything late."""

import asyncio
import selectors


class StandingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still until `advance` moves it.

    Real peers (Redis, sockets) take the time that they need, and no timeout passes meanwhile.
    """

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        self._now = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


class JumpingLoop(StandingLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing else is left to do.

    For code that waits for nothing outside the loop: no sockets, no threads, no processes.
    """

    def __init__(self) -> None:
        super().__init__(_Jumping(self))


# A turn of a real loop takes time, too: without it rounding could leave a timer due for ever.
_TURN_S = 1e-9


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: StandingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        events = super().select(0)
        self._loop.advance(_TURN_S if events else _TURN_S + timeout)
        return events

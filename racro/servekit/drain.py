"""An orderly end: what began may end, and what still comes is served for a while."""

import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

from racro.base.wrong_settings import WrongSettingsError
from racro.contracts.errors import ShuttingDown

# For what is cut off, and for connections that close.
_CLOSING_S = 1
# Load balancers have learnt by then that the process is ending: they ask every few seconds.
_MOST_SERVING_S = 30


class Drain:
    """Counts the requests in flight and says when a process that is ending may end.

    Load balancers learn late that a process is ending, and clients keep connections to it: a
    request that comes after the drain's beginning is served, for half of `timeout_s` and at most 30
    seconds, and refused from then on. The drain is over when nothing has been in flight for
    `quiet_s`, and after `timeout_s` in any case.
    """

    def __init__(
        self, *, timeout_s: float, quiet_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._timeout_s = timeout_s
        self._quiet_s = quiet_s
        self._now = clock
        self._in_flight = 0
        self._began_at: float | None = None
        self._serves_until = self._quiet_since = 0.0

    @property
    def started(self) -> bool:
        return self._began_at is not None

    @property
    def over(self) -> bool:
        """Nothing is in flight any more and nothing seems to come, or it took too long."""
        if self._began_at is None:
            return False
        now = self._now()
        if now >= self._began_at + self._timeout_s:
            return True
        return not self._in_flight and now >= self._quiet_since + self._quiet_s

    def begin(self, *, serves_on: bool = True) -> None:
        """Begins the end. Without `serves_on` nothing further is served, nor waited for."""
        self._began_at = self._quiet_since = self._serves_until = self._now()
        if serves_on:
            self._serves_until += min(self._timeout_s / 2, _MOST_SERVING_S)
        else:
            self._quiet_s = 0

    def end_now(self) -> None:
        """Has the drain be over whatever is in flight."""
        self._timeout_s = 0

    def check_not_started(self) -> None:
        """Raises ShuttingDown once the drain has begun."""
        if self.started:
            raise ShuttingDown("the service is shutting down")

    def __enter__(self) -> None:
        """Counts a request while the block runs. Raises ShuttingDown where it came too late."""
        if self.started and self._now() >= self._serves_until:
            self.check_not_started()
        self._in_flight += 1

    def __exit__(self, *_: object) -> None:
        self._in_flight -= 1
        if self.started:
            self._quiet_since = self._now()


class DrainingServer(uvicorn.Server):
    """Drains at the first SIGTERM or SIGINT and ends with status 0; at another one it ends now.

    SIGINT is of somebody at a terminal: nobody sends requests on, and nothing further is served.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        config.timeout_graceful_shutdown = _CLOSING_S
        super().__init__(config)
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Two processes may take an address while neither listens, and uvloop is silent about it.
        if not self.should_exit and not all(map(_listens, sockets or ())):
            await self.lifespan.shutdown()
            raise WrongSettingsError("port: taken by another process meanwhile; set a free one")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._drain.started:
            self._drain.end_now()
            super().handle_exit(sig, frame)
        else:
            self._drain.begin(serves_on=sig != signal.SIGINT)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        self.should_exit |= self._drain.over
        return await super().on_tick(counter)


def _listens(one: socket.socket) -> bool:
    """Whether a socket listens; uvloop closes one that cannot."""
    try:
        return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False

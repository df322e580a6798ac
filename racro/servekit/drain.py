"""An orderly end: what began may end, what comes now is sent away."""

import socket
import time
from types import FrameType

import uvicorn

from racro.base.wrong_settings import WrongSettingsError
from racro.contracts.errors import ShuttingDown

# For what is cut off, and for connections that close.
_CLOSING_S = 1


class Drain:
    """Counts the requests in flight and, once begun, lets no further ones in.

    The service listens meanwhile: load balancers learn late that a process is ending, and a refusal
    with `Connection: close` sends their request elsewhere where a closed port would lose it.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._in_flight = 0
        self._deadline: float | None = None

    @property
    def started(self) -> bool:
        return self._deadline is not None

    @property
    def over(self) -> bool:
        """Nothing is in flight any more, or it took too long."""
        if self._deadline is None:
            return False
        return not self._in_flight or time.monotonic() > self._deadline

    def begin(self) -> None:
        self._deadline = time.monotonic() + self._timeout_s

    def __enter__(self) -> None:
        """Counts a request while the block runs. Raises ShuttingDown once the drain has begun."""
        if self.started:
            raise ShuttingDown("the service is shutting down")
        self._in_flight += 1

    def __exit__(self, *_: object) -> None:
        self._in_flight -= 1


class DrainingServer(uvicorn.Server):
    """Drains at the first SIGTERM or SIGINT and ends with status 0; at another one it ends now."""

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
            super().handle_exit(sig, frame)
        else:
            self._drain.begin()

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

"""HTTP servers of raw bytes in the test's own event loop, for what a client does on the wire."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

from support.processes import PATIENCE_S

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"

Respond = Callable[["RawConnection", bytes], Awaitable[None]]


class RawConnection:
    """One connection to a RawPeer. `ended` is set once the client has closed it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.ended = asyncio.Event()

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()

    def abort(self) -> None:
        self.writer.transport.abort()


class RawPeer:
    """Has `respond` called with each request (its head and body), and counts all that comes."""

    def __init__(self, respond: Respond | None = None) -> None:
        self._respond = respond or _ok
        self.connections: list[RawConnection] = []
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = RawConnection(reader, writer)
        self.connections.append(connection)
        try:
            while request := await _request(reader):
                self.requests.append(request)
                await self._respond(connection, request)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            connection.ended.set()
            writer.transport.abort()

    @asynccontextmanager
    async def listening(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[int]:
        """Serve at a free port of `host`, which is given."""
        server = await asyncio.start_server(self.serve, host, 0, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for connection in self.connections:
                connection.abort()
            await eventually(lambda: all(one.ended.is_set() for one in self.connections))


async def _ok(connection: RawConnection, _: bytes) -> None:
    await connection.write(OK)


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    size = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    return head + await reader.readexactly(size)


async def eventually(condition: Callable[[], Any]) -> None:
    """Wait until a condition is true, with the time of the real clock."""
    for _ in range(PATIENCE_S * 100):
        if condition():
            return
        # Not asyncio.sleep: the loop's own clock may stand still.
        await asyncio.to_thread(time.sleep, 0.01)
    raise AssertionError("the condition did not come true")


def open_sockets() -> int:
    """Return how many sockets this process has."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            found += str(link.readlink()).startswith("socket:")
        except FileNotFoundError:
            continue
    return found


class FullQueue:
    """A server's socket that takes no connection and refuses none, until it is emptied."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET, port: int = 0) -> None:
        self._family = family
        self._port = port

    def __enter__(self) -> Self:
        host = "127.0.0.1" if self._family == socket.AF_INET else "::1"
        self.socket = socket.create_server((host, self._port), family=self._family, backlog=0)
        self.socket.setblocking(False)
        self._waiting = [socket.socket(self._family) for _ in range(3)]
        for one in self._waiting:
            one.setblocking(False)
            one.connect_ex(self.socket.getsockname())
        return self

    def empty(self) -> None:
        for one in self._waiting:
            one.close()
        with suppress(BlockingIOError):
            while True:
                self.socket.accept()[0].close()

    def __exit__(self, *_: object) -> None:
        self.empty()
        self.socket.close()

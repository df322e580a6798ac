"""A balancer of TCP connections, which learns late who is ready, as in Kubernetes."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

import httpx2

from support import http
from support.processes import Service
from support.rawpeer import eventually

# Between two looks at who is ready.
_EVERY_S = 0.5


class Balancer:
    """Connects each client with one of the services that were ready when it looked last."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._ready: list[Service] = []
        self._turns: Iterator[int] = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._looking = asyncio.create_task(self._look())
        await self.wait_for_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in (self._looking, *self._tasks):
            task.cancel()
        await asyncio.gather(self._looking, *self._tasks, return_exceptions=True)

    async def wait_for_all(self) -> None:
        """Return when new connections go to all of the services."""
        await eventually(lambda: len(self._ready) == len(self._services))

    async def _look(self) -> None:
        async with http.async_client(headers={"connection": "close"}) as client:
            while True:
                self._ready = [one for one in self._services if await _is_ready(client, one)]
                await asyncio.sleep(_EVERY_S)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        chosen = self._ready[next(self._turns) % len(self._ready)]
        async with _closing(writer):
            there, its = await asyncio.open_connection("127.0.0.1", chosen.port)
            async with _closing(its), asyncio.TaskGroup() as both:
                both.create_task(_pass_on(reader, its))
                both.create_task(_pass_on(there, writer))


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection at the block's end; reset it where the block fails, as by a reset."""
    try:
        yield
    except* OSError:
        writer.transport.abort()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _is_ready(client: httpx2.AsyncClient, service: Service) -> bool:
    try:
        return (await client.get(f"{service.url}/readyz")).status_code == 200
    except httpx2.TransportError:
        return False

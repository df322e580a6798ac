"""A relay between a client and a service that notes what the client asks, byte for byte."""

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Self

import aiohttp
from aiohttp import web

from support.processes import PATIENCE_S
from support.scripted import Asked

# They concern one connection alone; lengths and encodings are made again.
_OF_A_CONNECTION = {"connection", "content-encoding", "content-length", "keep-alive"}
_OF_A_CONNECTION |= {"host", "transfer-encoding"}


@dataclass
class Sent(Asked):
    """A request of the client, and what it was answered."""

    method: str = ""
    status: int = 0
    # The service's own name of it.
    request_id: str = ""


class Recorder:
    """Runs in a thread of its own and hands everything on to `target`, streams piece by piece."""

    def __init__(self, target: str) -> None:
        self.asked: list[Sent] = []
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE_S)
        self._client = aiohttp.ClientSession(timeout=timeout)
        app = web.Application(client_max_size=200 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._relay)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._client.close()

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        sent = Sent(
            request.path, request.headers.copy(), raw, time.monotonic(), method=request.method
        )
        self.asked.append(sent)
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _OF_A_CONNECTION]
        url = self._target + request.path_qs
        async with self._client.request(
            request.method, url, data=raw or None, headers=headers, allow_redirects=False
        ) as answer:
            sent.status = answer.status
            sent.request_id = answer.headers.get("x-request-id", "")
            kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in _OF_A_CONNECTION]
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            response.headers.extend(kept)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
        sent.finished = True
        return response

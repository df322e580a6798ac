"""What image URLs lead to: a web server that stands for the public internet, with all its vices,
and a canary in the private network that nobody may reach.
"""

import asyncio
import gzip
import socket
import zlib
from contextlib import suppress
from typing import Self

import zstandard
from aiohttp import web

from support.pictures import png
from support.processes import free_port
from support.scripted import Asked, ScriptedServer

ENDLESS_BYTES = 64 * 2**20
_CHUNK = bytes(64 * 2**10)


def _streamed_zstd(data: bytes) -> bytes:
    """Compress as servers do that do not know how much will come."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


_PACKERS = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zstd": zstandard.compress,
    "frames": lambda body: zstandard.compress(body[:40]) + zstandard.compress(body[40:]),
    "streamed": _streamed_zstd,
    "half": lambda packed: packed[: len(packed) // 2],
}


class ImageHost(ScriptedServer):
    """A web server on 127.0.0.2. `asked` tells who came, and `left_at` who left early.

    `targets` are the addresses below /signed as they came, escapes and all.
    """

    def __init__(self) -> None:
        super().__init__("127.0.0.2")
        self.targets: list[str] = []

    def _app(self) -> web.Application:
        app = web.Application()
        for path, handler in {
            "/image.png": _image,
            "/text.png": _text,
            "/page.svg": _svg,
            "/bomb.png": _gzip_bomb,
            "/packed.png": _packed,
            "/chart of 2024/höhe.png": _image,
            "/empty.png": _empty,
            "/endless.png": _endless,
            "/drip.png": _drip,
            "/silent.png": _silent,
            "/cut.png": _cut,
            "/status/{code}": _status,
            "/hops/{count}": _hops,
            "/loop": _loop,
            "/nowhere": _nowhere,
            "/redirect": _redirect,
            "/latin-1": _latin_1,
            "/signed/{name:.*}": self._signed,
            "/headers": _headers,
            "/longer.png": _longer,
            "/{name:h[^/]he.png|h%F6he.png}": _image,
        }.items():
            app.router.add_get(path, self._recorded(handler))
        return app

    async def _signed(self, request: web.Request, asked: Asked) -> web.Response:
        self.targets.append(request.raw_path)
        return await _image(request, asked)


class Canary:
    """Listens on one port of 127.0.0.1 and ::1 and answers nobody.

    It needs no thread: the kernel completes connections, `visits` counts those that wait.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._visits = 0

    def __enter__(self) -> Self:
        self._sockets = [
            socket.create_server((host, self.port), family=family, backlog=128)
            for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6))
        ]
        for listening in self._sockets:
            listening.setblocking(False)
        return self

    def __exit__(self, *_: object) -> None:
        for listening in self._sockets:
            listening.close()

    def visits(self) -> int:
        for listening in self._sockets:
            with suppress(BlockingIOError):
                while True:
                    listening.accept()[0].close()
                    self._visits += 1
        return self._visits


async def _image(request: web.Request, _: Asked) -> web.Response:
    headers = {"content-type": "application/octet-stream", "set-cookie": "seen=1"}
    return web.Response(body=png(request.query.get("text", "42")), headers=headers)


async def _text(_: web.Request, __: Asked) -> web.Response:
    return web.Response(text="no image at all", content_type="image/png")


async def _svg(_: web.Request, __: Asked) -> web.Response:
    return web.Response(text="<svg/>", content_type="image/svg+xml")


async def _gzip_bomb(_: web.Request, __: Asked) -> web.Response:
    response = web.Response(body=png() + bytes(10 * 2**20), content_type="image/png")
    response.enable_compression(web.ContentCoding.gzip)
    return response


async def _packed(request: web.Request, _: Asked) -> web.Response:
    """Answer with an image that was compressed as `by` tells, and a header that tells `says`."""
    body = png()
    for name in request.query["by"].split():
        body = _PACKERS[name](body)
    return web.Response(body=body, headers={"content-encoding": request.query["says"]})


async def _empty(_: web.Request, __: Asked) -> web.Response:
    return web.Response(body=b"", content_type="image/png")


async def _endless(request: web.Request, _: Asked) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "image/png"})
    if "declared" in request.query:
        response.content_length = ENDLESS_BYTES
    await response.prepare(request)
    for _chunk in range(ENDLESS_BYTES // len(_CHUNK)):
        await response.write(_CHUNK)
    return response


async def _drip(request: web.Request, _: Asked) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "image/png"})
    await response.prepare(request)
    for byte in png():
        await response.write(bytes([byte]))
        await asyncio.sleep(0.05)
    return response


async def _silent(_: web.Request, __: Asked) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


async def _cut(request: web.Request, _: Asked) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "image/png"})
    response.content_length = len(png())
    await response.prepare(request)
    await response.write(png()[:40])
    request.transport.abort()
    return response


async def _status(request: web.Request, _: Asked) -> web.Response:
    return web.Response(status=int(request.match_info["code"]), body=png())


async def _hops(request: web.Request, _: Asked) -> web.Response:
    left = int(request.match_info["count"]) - 1
    return web.Response(status=302, headers={"location": f"{left}" if left else "/image.png"})


async def _loop(_: web.Request, __: Asked) -> web.Response:
    return web.Response(status=302, headers={"location": "/loop"})


async def _nowhere(_: web.Request, __: Asked) -> web.Response:
    return web.Response(status=302)


async def _redirect(request: web.Request, _: Asked) -> web.Response:
    status = int(request.query.get("status", "302"))
    return web.Response(status=status, headers={"location": request.query["to"]})


async def _latin_1(request: web.Request, _: Asked) -> web.Response:
    request.transport.write(b"HTTP/1.1 302 Found\r\nlocation: /h\xf6he.png\r\n\r\n")
    request.transport.close()
    return web.Response()


async def _headers(request: web.Request, _: Asked) -> web.Response:
    """Answer with `count` headers more, each with a value of `size` bytes."""
    value = "x" * int(request.query["size"])
    headers = {f"x-{index}": value for index in range(int(request.query["count"]))}
    return web.Response(body=png(), headers=headers)


async def _longer(request: web.Request, _: Asked) -> web.Response:
    """Answer with more bytes than were announced."""
    head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 40\r\n\r\n"
    request.transport.write(head.encode() + png())
    request.transport.close()
    return web.Response()

"""The load generator: a bounded number of POSTs over a bounded number of connections."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import uvloop

_LARGEST_ANSWER_BYTES = 2**20
_OK = 200


@dataclass(frozen=True)
class Load:
    """`body` gives the body of the nth request, made when it is sent."""

    path: str
    body: Callable[[int], bytes]
    count: int
    concurrency: int = 1


@dataclass(frozen=True)
class Answers:
    bodies: list[bytes]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.bodies) / self.seconds


def run(port: int, load: Load) -> Answers:
    """All answers; one that is not 200 raises."""
    return uvloop.run(_run(port, load))


async def _run(port: int, load: Load) -> Answers:
    numbers = iter(range(load.count))
    bodies: list[bytes] = []
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(load.concurrency):
            group.create_task(_work(port, load, numbers, bodies))
    return Answers(bodies, time.perf_counter() - started)


async def _work(port: int, load: Load, numbers: Iterator[int], bodies: list[bytes]) -> None:
    async with Connection(port) as connection:
        bodies += [await connection.post(load.path, load.body(number)) for number in numbers]


class Connection:
    """A connection to a server on loopback, kept for one request after the other."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, limit=_LARGEST_ANSWER_BYTES
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def post(self, path: str, body: bytes) -> bytes:
        """Return the answer's body. Raises RuntimeError where its status is not 200."""
        status, answer = await self.ask(path, body)
        if status != _OK:
            raise RuntimeError(f"answered {status}: {answer[:500]!r}")
        return answer

    async def ask(self, path: str, body: bytes, *, key: str = "") -> tuple[int, bytes]:
        """Return an answer's status and body; `key` is sent as x-api-key."""
        request = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"x-api-key: {key}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.writelines([request.encode(), body])
        await self._writer.drain()
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        if length:
            answer = await self._reader.readexactly(int(length))
        else:
            # Chunked, and no text here has a carriage return that could end it early.
            answer = await self._reader.readuntil(b"\r\n0\r\n\r\n")
        return int(head.split(b" ", 2)[1]), answer

"""A connection of `http1` without a socket: bytes go in piece by piece, an outcome comes out."""

import asyncio
import ssl
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from racro.servekit.dialling import Dialler
from racro.servekit.http1 import Connection, Http1Client, Http1Response
from racro.servekit.http_errors import Broken

WAITS = "waits for more"


class Wire(asyncio.Transport):
    """Takes what is written, and notes whether it was aborted and whether reading is paused."""

    def __init__(self) -> None:
        super().__init__()
        self.is_aborted = False
        self.is_paused = False

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True

    def write(self, data: Any) -> None:
        pass

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


@dataclass(frozen=True)
class Outcome:
    """What a reader gets: `body` is what was read, the class of an error, or WAITS."""

    status: int
    body: bytes | type[Broken] | str
    kept: bool
    headers: dict[str, str] = field(default_factory=dict, compare=True)


def a_dialler(**more: Any) -> Dialler:
    given = {"connect_timeout_s": 1, "tls_timeout_s": 10, "tls": ssl.create_default_context}
    return Dialler(**{**given, **more})


def outcome(
    pieces: Iterable[bytes], *, ends: bool = False, head_only: bool = False, **limits: Any
) -> Outcome:
    """Feed an answer in pieces to a fresh connection, and its end where it `ends`.

    To be called in an event loop. `head_only` is of an answer to HEAD.
    """
    client = Http1Client(a_dialler())
    pool: list[Connection] = []
    connection, wire = Connection(client, pool), Wire()
    connection.connection_made(wire)
    response = Http1Response(connection, is_bodiless=head_only, **limits)
    connection.send(b"", b"", response)
    for piece in pieces:
        if wire.is_aborted:
            break
        connection.data_received(piece)
    if ends and not wire.is_aborted:
        connection.eof_received()
        connection.connection_lost(None)
    body = _now(_read(response))
    response.close()
    kept = connection in pool
    if client._sweeper is not None:
        client._sweeper.cancel()
    return Outcome(response.status, body, kept, response.headers if response.status else {})


async def _read(response: Http1Response) -> bytes | type[Broken]:
    try:
        await response.head()
        return await response.read()
    except Broken as error:
        return type(error)


def _now(coroutine: Coroutine[Any, Any, bytes | type[Broken]]) -> bytes | type[Broken] | str:
    """Return what a coroutine returns without waiting, else WAITS."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        return returned.value
    coroutine.close()
    return WAITS


def splits(data: bytes) -> Iterator[list[bytes]]:
    """Every way to cut bytes into two pieces, and into single bytes."""
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]
    yield [data[at : at + 1] for at in range(len(data))]

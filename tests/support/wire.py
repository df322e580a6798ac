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
    pieces: Iterable[bytes],
    *,
    ends: bool = False,
    head_only: bool = False,
    piped: bool = False,
    **limits: Any,
) -> Outcome:
    """Feed an answer in pieces to a fresh connection, and its end where it `ends`.

    To be called in an event loop. `head_only` is of an answer to HEAD; where it is `piped`, its
    body is given to a sink as it comes.
    """
    client = Http1Client(a_dialler())
    pool: list[Connection] = []
    connection, wire = Connection(client, pool), Wire()
    connection.connection_made(wire)
    response = Http1Response(connection, is_bodiless=head_only, **limits)
    connection.send(b"", b"", response)
    reader = _Steps(_pipe(response)) if piped else None
    for piece in pieces:
        if wire.is_aborted:
            break
        connection.data_received(piece)
        if reader is not None:
            reader.go_on()
    if ends and not wire.is_aborted:
        connection.eof_received()
        connection.connection_lost(None)
    body = (reader or _Steps(_read(response))).result()
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


async def _pipe(response: Http1Response) -> bytes | type[Broken]:
    """Pipe to a sink that wants no more after every second piece, for a while."""
    pieces: list[bytes] = []

    def sink(data: bytes) -> bool:
        pieces.append(data)
        return len(pieces) % 2 == 1

    try:
        await response.head()
        while not await response.pipe(sink):
            pass
    except Broken as error:
        return type(error)
    return b"".join(pieces)


class _Steps:
    """Runs a coroutine as far as it goes without the event loop."""

    def __init__(self, coroutine: Coroutine[Any, Any, bytes | type[Broken]]) -> None:
        self._coroutine = coroutine
        self._waits_for: asyncio.Future[None] | None = None
        self._returned: bytes | type[Broken] | str = WAITS
        self.go_on()

    def go_on(self) -> None:
        while self._returned is WAITS and (self._waits_for is None or self._waits_for.done()):
            try:
                self._waits_for = self._coroutine.send(None)
            except StopIteration as returned:
                self._returned = returned.value

    def result(self) -> bytes | type[Broken] | str:
        """Return what it returns, WAITS where it has not come to its end."""
        self.go_on()
        self._coroutine.close()
        return self._returned


def splits(data: bytes) -> Iterator[list[bytes]]:
    """Every way to cut bytes into two pieces, and into single bytes."""
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]
    yield [data[at : at + 1] for at in range(len(data))]

"""Server-sent events: reading them from an upstream, and a response that never falls silent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import msgspec
from starlette.types import Send

from racro.contracts.errors import RacroError, UpstreamError
from racro.servekit.responses import (
    BYTE_ORDER_MARK,
    EVENT_STREAM,
    Headers,
    NotJson,
    encode,
    report,
)
from racro.servekit.timers import timers

DONE = b"data: [DONE]\n\n"

_LONGEST_END = len(b"\r\n\r\n")
_MAX_EVENT_BYTES = 4 * 2**20
_MAX_EVENT_LINES = 10_000
# Of an end, "\n\n", all but its last byte.
_HELD_BYTES = 1
# Then other requests have their turn.
_BLOCKS_AT_A_TIME = 1000
_NO_CACHE = (b"cache-control", b"no-cache")
# nginx and its Kubernetes ingress would otherwise hold the stream back.
_NO_BUFFERING = (b"x-accel-buffering", b"no")


class Readable(Protocol):
    """Has bytes that come one after the other, as a response."""

    async def readany(self) -> bytes:
        """Return all that has come, at least a byte; b"" at the end."""


class Pipeable(Readable, Protocol):
    """Can hand its bytes on as they come, as a response."""

    async def pipe(self, sink: Callable[[bytes], bool]) -> bool:
        """Give what comes to `sink` until its end (True) or until `sink` returns False (False)."""


class BodyWriter(Protocol):
    """Writes the body of an answer whose head was sent."""

    @property
    def is_paused(self) -> bool:
        """Whether the client reads more slowly than it is written to."""

    def write(self, data: bytes) -> bool:
        """Writes a piece now, whether or not it is paused. Returns whether the client keeps up."""

    async def drain(self) -> None:
        """Waits while it is paused."""


class Event(NamedTuple):
    name: str
    data: bytes


def parse_event(block: bytes) -> Event | None:
    """Return the event that a block of lines is, which end with LF; None where it has no data.

    Raises UpstreamError on more than 10,000 lines.
    """
    if len(block) > _MAX_EVENT_LINES and block.count(b"\n") > _MAX_EVENT_LINES:
        raise UpstreamError(f"the upstream sent an event of more than {_MAX_EVENT_LINES} lines")
    name, data = "message", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
        elif field == b"error":
            # llama.cpp's servers wrote the name of an event in the place of "data".
            name, data = "error", [value]
    return Event(name or "message", b"\n".join(data)) if data else None


def is_other_event(event: Event) -> bool:
    """Tell whether an event has a name of its own and holds no JSON object or array, as a ping."""
    has_name = event.name not in {"message", "error"}
    return has_name and not event.data.lstrip().startswith((b"{", b"["))


class EventReader:
    """Finds the events in a stream that comes in pieces, however they are cut.

    Lines end with LF, CRLF or CR, and a byte order mark may come first. Comments are dropped.
    """

    def __init__(self) -> None:
        # An event may come in many pieces: they are joined once, when its end has come.
        self._pieces: list[bytes] = []
        self._size = 0
        # A byte that may belong to an event's end, and a CR that an LF may follow.
        self._held = b""
        self._begins = True

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the events that a piece ends, to be parsed. Raises UpstreamError over 4 MiB."""
        text = self._held + piece
        cut = b"\r" if text.endswith(b"\r") else b""
        if b"\r" in text:
            text = text.removesuffix(cut).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *blocks, rest = text.split(b"\n\n")
        if blocks and self._pieces:
            blocks[0] = b"".join([*self._pieces, blocks[0]])
            self._pieces, self._size = [], 0
        if blocks and self._begins:
            blocks[0], self._begins = blocks[0].removeprefix(BYTE_ORDER_MARK), False
        self._held = rest[-_HELD_BYTES:] + cut
        if body := rest[:-_HELD_BYTES]:
            self._pieces.append(body)
            self._size += len(body)
        if self._size > _MAX_EVENT_BYTES:
            raise UpstreamError("the upstream sent an event over 4 MiB")
        return blocks

    def end(self) -> Event | None:
        """Return the event that the stream ends with, if there is one and its data are whole.

        The standard drops an event without its blank line. Servers leave that line out: there data
        are whole that are JSON, or `[DONE]`.
        """
        rest = b"".join([*self._pieces, self._held])
        if rest.endswith(b"\r"):
            rest = rest[:-1] + b"\n"
        event = parse_event(rest.removeprefix(BYTE_ORDER_MARK) if self._begins else rest)
        if event is None or rest.endswith(b"\n\n") or _is_whole(event.data):
            return event
        return None


def _is_whole(data: bytes) -> bool:
    if data.strip() == b"[DONE]":
        return True
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except NotJson:
        return False
    return True


async def read_events(response: Readable) -> AsyncIterator[Event]:
    """Yield the events of a stream; the last one needs no end where its data are whole.

    Raises UpstreamError on an event over 4 MiB, or of more than 10,000 lines.
    """
    reader = EventReader()
    while piece := await response.readany():
        for number, block in enumerate(reader.feed(piece), start=1):
            if block and (event := parse_event(block)):
                yield event
            if number % _BLOCKS_AT_A_TIME == 0:
                await asyncio.sleep(0)
    if last := reader.end():
        yield last


def format_event(name: str | None, data: Any) -> bytes:
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + encode(data) + b"\n\n"


class EventStream:
    """An event-stream response that begins with its first byte.

    Until then its status is open, so an early failure is still a plain error response. When nothing
    was said for `keep_alive_s` seconds `keep_alive` is sent, a comment: proxies and clients give up
    on silence. `event_end` ends an event that an upstream broke off, which must not swallow ours.
    """

    keep_alive: ClassVar[bytes] = b": keep-alive\n\n"
    event_end: ClassVar[bytes] = b"\n\n"

    def __init__(self, send: Send, body: BodyWriter, *, keep_alive_s: float) -> None:
        self._send = send
        self._body = body
        self._keep_alive_s = keep_alive_s
        self.started = False
        self._headers: list[tuple[bytes, bytes]] = [EVENT_STREAM, _NO_CACHE, _NO_BUFFERING]
        self._tail = b"\n\n"
        self._loop = asyncio.get_running_loop()
        self._last_said = self._loop.time()
        self._first_keep_alive: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        timers(self._loop).add(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        timers(self._loop).remove(self)
        if self._first_keep_alive is not None:
            # It has not begun, or is done.
            self._first_keep_alive.cancel()
        if error is None:
            await self._start()
            await self._end(b"")
        elif self.started and isinstance(error, Exception):
            shown = error if isinstance(error, RacroError) else RacroError("internal error")
            report(shown)
            event_end = b"" if self._between_events else self.event_end
            await self._end(event_end + self.error_event(shown))
            return isinstance(error, RacroError)
        return False

    async def _start(self) -> None:
        if not self.started:
            self.started = True
            await self._send(
                {"type": "http.response.start", "status": 200, "headers": self._headers}
            )

    async def _end(self, last: bytes) -> None:
        await self._send({"type": "http.response.body", "body": last})

    def error_event(self, error: RacroError) -> bytes:
        """The dialect's error event; OpenAI's is data without a name."""
        return format_event(None, error.envelope())

    async def add_headers(self, headers: Headers) -> None:
        """Response headers; once the response has begun they go into one comment."""
        if not self.started:
            self._headers += headers
            return
        text = b"; ".join(name + b": " + value for name, value in headers)
        await self.write(b": " + text + b"\n\n")

    async def write(self, data: bytes) -> None:
        """Send bytes of the stream, not necessarily whole events."""
        if not self.started:
            await self._start()
        if not self._write(data):
            await self._body.drain()

    async def relay(self, source: Pipeable, inspect: Callable[[bytes], None] | None = None) -> None:
        """Send all that comes from a source, what one read brings in one write.

        Each piece is given to `inspect` once it was written. While the client keeps up, pieces are
        written from the event loop's own reads, and no task wakes for them.
        """

        def sink(data: bytes) -> bool:
            keeps_up = self._write(data)
            if inspect is not None:
                inspect(data)
            return keeps_up

        if not self.started and (first := await source.readany()):
            await self.write(first)
            if inspect is not None:
                inspect(first)
        while not await source.pipe(sink):
            await self._body.drain()

    def _write(self, data: bytes) -> bool:
        longer = data if len(data) >= _LONGEST_END else self._tail + data
        self._tail = longer[-_LONGEST_END:]
        self._last_said = self._loop.time()
        return self._body.write(data)

    @property
    def _between_events(self) -> bool:
        return self._tail.endswith((b"\n\n", b"\r\n\r\n"))

    async def event(self, name: str, data: Any) -> None:
        await self.write(format_event(name, data))

    @property
    def due(self) -> float:
        """When a keep-alive has to be sent, in the loop's time, if nothing else was until then."""
        return self._last_said + self._keep_alive_s

    def on_due(self) -> None:
        """Sends a keep-alive, but not inside of an event, nor while something waits to be sent."""
        self._last_said = self._loop.time()
        if self.started:
            self._keep_alive()
        else:
            self._first_keep_alive = self._loop.create_task(self._start_with_keep_alive())

    async def _start_with_keep_alive(self) -> None:
        await self._start()
        self._keep_alive()

    def _keep_alive(self) -> None:
        if self._between_events and not self._body.is_paused:
            self._write(self.keep_alive)


class NamedEventStream(EventStream):
    """For our own routes, whose errors are named events."""

    def error_event(self, error: RacroError) -> bytes:
        return format_event("error", error.envelope())

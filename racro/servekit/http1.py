"""An HTTP/1.1 client on httptools (llhttp) that keeps connections and reads answers as they come.

`Http1Client.target` gives a `Target` for a base URL, whose `send` gives an `Http1Response` once its
head is there. A response belongs to its reader until `close`: where its body's end has come by
then, the connection is kept for another request, and else aborted. Errors are those of
`racro.servekit.http_errors`:

    HttpError
    ├── NotSent             nothing of the request reached the peer
    │   └── NotTrusted      the peer's TLS certificate is not trusted
    └── Broken              the request was sent, and there is no whole answer
        ├── Malformed       the answer is not HTTP/1.1, or larger than a limit
        └── NoFirstByte     no byte of an answer came within the time for it

There is no limit of connections, no task per request, and nothing is decompressed, redirected or
sent twice. Environment variables are not read.
"""

import asyncio
import random
import re
import select
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self, cast
from urllib.parse import quote, unquote, urlsplit
from weakref import WeakValueDictionary

import httptools

from racro.servekit.dialling import Dialler, Origin, parse_origin
from racro.servekit.http_errors import Broken, Malformed, NoFirstByte, NotSent
from racro.servekit.peer_timeout import peer_timeout
from racro.servekit.tasks import off_loop_if_large

MAX_HEAD_BYTES = 64 * 2**10
MAX_HEADERS = 200
MAX_BODY_BYTES = 64 * 2**20
# Reading is paused above it, and goes on below half of it.
MAX_BUFFERED_BYTES = 256 * 2**10

# Below the five seconds after which a uvicorn (vLLM's too) closes an idle connection: reusing one
# that is about to close fails a request for nothing. The jitter keeps those that were opened
# together from being closed together.
IDLE_S = 4.0
IDLE_JITTER_S = 0.5

_CLOSING_S = 1
_SMALL_BODY_BYTES = 64 * 2**10
_VERSIONS = frozenset({"1.0", "1.1"})
_SWITCHING_PROTOCOLS = 101
_INTERIM = range(100, 200)
_CONTROL = re.compile("[\0\r\n]")
_PATH_SAFE = "/%:@!$&'()*+,;=~-._?"


def header_line(name: str, value: str) -> bytes:
    """Return a line of a request's head. Raises ValueError where it would be more than one."""
    if _CONTROL.search(value) or _CONTROL.search(name):
        raise ValueError(f"the value of the header {name} has a line break or a zero byte in it")
    return f"{name}: {value}\r\n".encode(errors="surrogateescape")


class Http1Response:
    """An answer as it comes: its head, then its body. `reused` says that over a kept connection.

    httptools calls the methods `on_…` while it parses.
    """

    __slots__ = (
        "_buffered", "_chunks", "_complete", "_connection", "_error", "_fed", "_has_head",
        "_header_count", "_is_bodiless", "_keeps", "_max_body_bytes", "_parser", "_room", "_silent",
        "_sink", "_sink_error", "_until_close", "_waiter", "headers", "reused", "status",
    )  # fmt: skip

    def __init__(
        self,
        connection: "Connection",
        *,
        reused: bool = False,
        is_bodiless: bool = False,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.reused = reused
        self._connection = connection
        self._is_bodiless = is_bodiless
        self._max_body_bytes = max_body_bytes
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._header_count = 0
        self._room = MAX_HEAD_BYTES
        self._silent = 0
        self._fed = self._has_head = self._complete = self._keeps = self._until_close = False
        self._error: Broken | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sink: Callable[[bytes], bool] | None = None
        self._sink_error: Exception | None = None

    # Of a reader.

    async def head(self) -> None:
        """Wait for status and headers. Raises Broken."""
        while not self._has_head:
            if self._error is not None:
                raise self._error
            await self._wait()

    async def readany(self) -> bytes:
        """Return all of the body that has come since, at least a byte; b"" at its end.

        Raises Broken where it will not come to its end.
        """
        while not self._chunks:
            if self._complete:
                return b""
            if self._error is not None:
                raise self._error
            await self._wait()
        data = self._take()
        self._connection.resume_reading()
        return data

    async def pipe(self, sink: Callable[[bytes], bool]) -> bool:
        """Give the body to `sink` as it comes, from the event loop's own reads.

        Returns True at the body's end, False once `sink` has returned False. Raises Broken, and
        what `sink` raises.
        """
        if self._chunks and not sink(await self.readany()):
            return False
        self._sink = sink
        try:
            while not self._complete:
                if self._error is not None:
                    raise self._error
                await self._wait()
                if self._sink_error is not None:
                    raise self._sink_error
                if self._sink is None:
                    return False
        finally:
            self._sink = None
        return True

    def _take(self) -> bytes:
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        return data

    async def read(self) -> bytes:
        """Return the rest of the body. Raises Broken, Malformed where that is over the limit."""
        pieces, size = [], 0
        while piece := await self.readany():
            pieces.append(piece)
            size += len(piece)
            if size > self._max_body_bytes:
                raise Malformed(f"a body over {self._max_body_bytes} bytes")
        if len(pieces) == 1:
            return pieces[0]
        return await off_loop_if_large(size, partial(b"".join, pieces))

    def close(self) -> None:
        """Give the connection back where the body's end has come, and else abort it."""
        if self._complete:
            self._connection.release(self, keep=self._keeps)
        else:
            self._connection.abort()
            self._fail(Broken("the response was closed before its end"))

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    @property
    def is_silent(self) -> bool:
        """Whether no byte of the answer has come."""
        return not self._fed

    # Of its connection.

    def feed(self, data: bytes) -> None:
        """Take bytes of the answer."""
        self._fed = True
        if self._parser is None:
            # After its end, or behind an error.
            self._keeps = False
            return
        if not self._has_head and len(data) > self._room:
            head, data = data[: self._room], data[self._room :]
            self._parse(head)
            if not self._has_head:
                self._refuse(Malformed(f"a head over {MAX_HEAD_BYTES} bytes"))
                return
        self._parse(data)
        if self._sink is not None and self._chunks:
            self._feed_sink(self._sink)
            if self._sink is not None and self._parser is not None:
                return  # More is to come, and it is wanted.
        if self._buffered > MAX_BUFFERED_BYTES:
            self._connection.pause_reading()
        self._wake()

    def _feed_sink(self, sink: Callable[[bytes], bool]) -> None:
        try:
            if not sink(self._take()):
                self._sink = None
        except Exception as error:  # noqa: BLE001 - it is that of `pipe`'s caller
            self._sink, self._sink_error = None, error

    def _parse(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            self._keeps = False
            return
        self._silent += len(data)
        if not self._has_head:
            self._room -= len(data)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._refuse_parsing(error)
        else:
            # Extensions of chunks and trailers are read past, but not for ever.
            if self._has_head and self._silent > MAX_HEAD_BYTES and not self._complete:
                self._refuse(Malformed(f"{MAX_HEAD_BYTES} bytes of a body's frame and no body"))

    def _refuse_parsing(self, error: Exception) -> None:
        if self._complete:
            # What comes behind an answer spoils the connection, not the answer.
            self._keeps = False
            return
        ours = error.__context__
        self._refuse(ours if isinstance(ours, Malformed) else Malformed(f"no HTTP/1.1: {error}"))

    def _refuse(self, error: Malformed) -> None:
        self._fail(error)
        self._connection.abort()

    def end(self, problem: BaseException | None) -> None:
        """Note that no more bytes will come: because of `problem`, or at the peer's wish."""
        if self._until_close and problem is None and self._error is None:
            self._finish()
        else:
            said = "the connection was closed" if problem is None else f"it broke: {problem!r}"
            self._fail(Broken(said, before_answer=not self._fed, reused=self.reused))
        self._wake()

    def _fail(self, error: Broken) -> None:
        if not self._complete and self._error is None:
            self._error = error
            self._parser = None
            self._keeps = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Of the parser.

    def on_message_begin(self) -> None:
        if self._complete:
            self._keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        if self._header_count > MAX_HEADERS:
            raise Malformed(f"more than {MAX_HEADERS} headers")
        if self._has_head:
            return  # Of a trailer.
        key, text = name.lower().decode("latin-1"), value.decode("latin-1").strip(" \t")
        before = self.headers.get(key)
        self.headers[key] = text if before is None else f"{before}, {text}"

    def on_headers_complete(self) -> None:
        parser = self._parser
        if self._complete or parser is None:
            return
        status = parser.get_status_code()
        if status == _SWITCHING_PROTOCOLS or status < _INTERIM.start:
            raise Malformed(f"status {status}")
        if parser.get_http_version() not in _VERSIONS:
            raise Malformed("another version of HTTP")
        if status in _INTERIM:
            self.headers = {}
            return
        coding = self.headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":
            raise Malformed("a transfer-encoding that was not asked for")
        self.status, self._has_head, self._silent = status, True, 0
        self._keeps = parser.should_keep_alive()
        self._until_close = coding is None and "content-length" not in self.headers
        if self._is_bodiless:
            self._finish()

    def on_body(self, data: bytes) -> None:
        self._silent = 0
        if self._complete:
            self._keeps = False
        else:
            self._chunks.append(data)
            self._buffered += len(data)

    def on_message_complete(self) -> None:
        if self._has_head:
            self._finish()

    def _finish(self) -> None:
        self._complete = True
        # It refers back to this response.
        self._parser = None


class Connection(asyncio.Protocol):
    """A connection, over which one request at a time is sent; `owner` is told when it ends."""

    __slots__ = ("_owner", "_paused", "_poll", "_response", "_transport", "idle_until", "pool")

    def __init__(self, owner: "Http1Client", pool: "Pool") -> None:
        self._owner = owner
        self.pool = pool
        self.idle_until = 0.0
        self._transport: asyncio.Transport | None = None
        self._response: Http1Response | None = None
        self._poll: select.poll | None = None
        self._paused = False

    # Of the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by what they do alone.
        self._transport = cast("asyncio.Transport", transport)
        # uvloop calls this even where the dialling was cancelled, and connection_lost never then.
        if not transport.is_closing():
            self._owner.add(self)

    def data_received(self, data: bytes) -> None:
        if self._response is None:
            # Nobody asked for it.
            self.abort()
        else:
            self._response.feed(data)

    def eof_received(self) -> None:
        if self._response is not None:
            self._response.end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._response is not None:
            self._response.end(exc or ConnectionResetError("the connection was lost"))
            self._response = None
        self._owner.discard(self)

    # Of the client.

    def is_fresh(self) -> bool:
        """Whether it was neither closed nor written to while nobody used it.

        The event loop may not have seen yet what has come.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not self._poll.poll(0)

    def send(self, head: bytes, body: bytes, response: Http1Response) -> None:
        """Send a request, whose answer goes to `response`. Raises NotSent if it is closed."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise NotSent("the connection was closed")
        self._response = response
        if len(body) <= _SMALL_BODY_BYTES:
            transport.write(head + body)
        else:
            transport.writelines((head, body))

    # Of a response.

    def pause_reading(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def release(self, response: Http1Response, *, keep: bool) -> None:
        """Take the connection back from a response that is whole."""
        if self._response is not response:
            return
        self._response = None
        transport = self._transport
        if (
            keep
            and transport is not None
            and not transport.is_closing()
            # An answer may come before the whole request was sent.
            and not transport.get_write_buffer_size()
        ):
            self.resume_reading()
            self._owner.keep(self)
        else:
            self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Pool(list[Connection]):
    """The kept connections to an origin. A class of its own, or there were no weak references."""


class Target:
    """A server under a base URL, with headers that every request to it has."""

    __slots__ = ("_client", "_head", "_origin", "_path", "_pool")

    def __init__(
        self,
        client: "Http1Client",
        base_url: str,
        headers: Mapping[str, str],
        address: str | None = None,
    ) -> None:
        """`address` is that of one server where the URL's name has several."""
        self._client = client
        self._origin: Origin | None = None
        try:
            origin = replace(parse_origin(base_url), address=address)
        except ValueError:
            return  # `send` tells.
        self._origin = origin
        self._pool = client.pool(origin)
        parts = urlsplit(base_url)
        start = f"http://{origin.netloc}" if client.asks_proxy(origin) else ""
        self._path = start + quote(parts.path.rstrip("/"), safe=_PATH_SAFE)
        credentials = {}
        if parts.username is not None and "authorization" not in headers:
            plain = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            credentials["authorization"] = "Basic " + b64encode(plain.encode()).decode()
        given = {"host": origin.netloc, **credentials, **headers}
        self._head = b"".join(header_line(name, value) for name, value in given.items())

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        new_connection: bool = False,
    ) -> Http1Response:
        """Send a request and return its response, whose body is unread. Raises HttpError.

        It goes over a kept connection if there is one, unless a new one is wanted.
        """
        if self._origin is None:
            raise NotSent("the base URL is none of http or https with a host")
        head, keep = self._request_head(method, path, headers, body)
        connection = None if new_connection else self._client.take(self._pool)
        reused = connection is not None
        if connection is None:
            connection = await self._client.connect(self._origin, self._pool)
        response = Http1Response(
            connection,
            reused=reused,
            is_bodiless=method == "HEAD",
            max_body_bytes=self._client.max_body_bytes,
        )
        connection.pool = self._pool if keep else _NO_POOL
        try:
            connection.send(head, body or b"", response)
            if self._client.first_byte_timeout_s is None:
                await response.head()
            else:
                await _head_in_time(response, self._client.first_byte_timeout_s)
        except BaseException:
            connection.abort()
            raise
        return response

    def _request_head(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[bytes, bool]:
        """Return the head of a request, and whether its connection may be kept."""
        lines = [f"{method} {self._path}{path} HTTP/1.1\r\n".encode("latin-1"), self._head]
        keep = self._client.keeps
        for name, value in headers.items():
            lines.append(header_line(name, value))
            if name == "connection":
                keep = False
        if not self._client.keeps and "connection" not in headers:
            lines.append(b"connection: close\r\n")
        if body is not None:
            lines.append(b"content-length: %d\r\n" % len(body))
        lines.append(b"\r\n")
        return b"".join(lines), keep


async def _head_in_time(response: Http1Response, timeout_s: float) -> None:
    try:
        async with peer_timeout(timeout_s):
            await response.head()
    except TimeoutError as error:
        raise NoFirstByte("no answer in time", before_answer=response.is_silent) from error


_NO_POOL = Pool()


class Http1Client:
    """Keeps connections by their origin; `keeps=False` gives each request one of its own.

    `first_byte_timeout_s` bounds the wait for an answer's head once a request was sent.
    """

    def __init__(
        self,
        dialler: Dialler,
        *,
        keeps: bool = True,
        first_byte_timeout_s: float | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self.keeps = keeps
        self.first_byte_timeout_s = first_byte_timeout_s
        self.max_body_bytes = max_body_bytes
        self._dialler = dialler
        # An origin's is gone with its last target and connection.
        self._pools: WeakValueDictionary[Origin, Pool] = WeakValueDictionary()
        self._open: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._emptied = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Abort all connections and wait until they are closed."""
        self._is_closed = True
        self._dialler.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in [*self._open]:
            connection.abort()
        if self._open:
            # Nothing depends on it: a service that ends must not wait for one for ever.
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING_S):
                    await self._emptied.wait()

    def target(
        self, base_url: str, headers: Mapping[str, str], address: str | None = None
    ) -> Target:
        """Return the server under a URL, asked with those headers in every request.

        Where the URL's name has several addresses, `address` is that of the one that is meant.
        Raises ValueError for a header that has a line break or a zero byte in it.
        """
        return Target(self, base_url, headers, address)

    async def addresses(self, base_url: str) -> list[str]:
        """Return the addresses of the name in a URL, none where it has no name or a proxy is asked.

        Raises OSError or UnicodeError where the name is not resolved.
        """
        try:
            origin = parse_origin(base_url)
        except ValueError:
            return []
        return await self._dialler.addresses(origin)

    def asks_proxy(self, origin: Origin) -> bool:
        """Whether a request names the whole URL, for a proxy to know where it goes."""
        return self._dialler.proxy is not None and not origin.is_tls

    def pool(self, origin: Origin) -> Pool:
        """Return the kept connections to an origin, the one used last at the end."""
        return self._pools.setdefault(origin, Pool())

    def take(self, pool: Pool) -> Connection | None:
        """Return a kept connection that can be used, if there is one; close those that cannot."""
        now = asyncio.get_running_loop().time()
        while pool:
            connection = pool.pop()
            if now < connection.idle_until and connection.is_fresh():
                return connection
            connection.abort()
        return None

    async def connect(self, origin: Origin, pool: Pool) -> Connection:
        """Return a new connection. Raises NotSent."""
        if self._is_closed:
            raise NotSent("the client is closed")
        connection = Connection(self, pool)
        try:
            return await self._dialler.dial(origin, lambda: connection)
        except BaseException:
            # uvloop may have told it that it was made, and never tells it that it is lost.
            connection.abort()
            self.discard(connection)
            raise

    # Of its connections.

    def add(self, connection: Connection) -> None:
        self._open.add(connection)
        if self._is_closed:
            connection.abort()

    def discard(self, connection: Connection) -> None:
        self._open.discard(connection)
        with suppress(ValueError):
            connection.pool.remove(connection)
        if self._is_closed and not self._open:
            self._emptied.set()

    def keep(self, connection: Connection) -> None:
        """Keep a connection for the next request to its origin."""
        if self._is_closed or connection.pool is _NO_POOL:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_until = loop.time() + IDLE_S - random.random() * IDLE_JITTER_S  # noqa: S311
        connection.pool.append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(IDLE_S, self._sweep)

    def _sweep(self) -> None:
        """Close what was idle for too long: a server may keep its end for much longer."""
        loop = asyncio.get_running_loop()
        for pool in [*self._pools.values()]:
            for connection in [one for one in pool if one.idle_until <= loop.time()]:
                pool.remove(connection)
                connection.abort()
        kept = any(self._pools.values())
        self._sweeper = loop.call_later(IDLE_S, self._sweep) if kept else None

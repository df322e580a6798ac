"""HTTP/1.1 towards clients: uvicorn's protocol on httptools, with bounds.

uvicorn makes a `Connection` for each TCP connection. What differs from uvicorn's own: connections
are limited in number; a request's head is bounded in bytes and seconds, and its body must not come
too slowly; a client that leaves cancels the task of its request, without
another task that waits for that; a process that drains closes each connection with its answer;
clients of HTTP/1.0 get answers without chunks; refusals have our error envelope.
"""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn
from urllib.parse import unquote

import httptools
from starlette.types import ASGIApp, Message, Scope
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from racro.contracts.errors import ENDING_HEADER, InvalidRequest, Overloaded, RacroError
from racro.servekit.connection_limit import MOST_CLOSING, ConnectionLimit
from racro.servekit.drain import Drain
from racro.servekit.error_forms import OPENAI, ErrorForm, ErrorForms
from racro.servekit.idle_times import idle_times
from racro.servekit.request_bounds import (
    BODY_TIMEOUT_S,
    HEAD_TIMEOUT_S,
    BodyRate,
    HeadBounds,
    body_too_slow,
    head_too_large,
    head_too_slow,
)
from racro.servekit.responses import JSON, encode

WRITE_TIMEOUT_S = 60
_LINGER_S = 2
# Requests that a client sent before it had its answers; each takes fifty times its bytes.
_MOST_WAITING = 100
_MOST_WAITING_BYTES = 64 * 2**10
_MOST_DROPPED_BYTES = 2**20
_OFFERS = re.compile(rb"upgrade|http2-settings", re.IGNORECASE)

_CYCLE = "racro.cycle"
_WITHOUT_BODY = frozenset({204, 304})
_BAD_NAME = re.compile(rb"[\x00-\x1f\x7f()<>@,;:\[\]={} \t\\\"]")
_BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def has_client_left(scope: Scope) -> bool:
    """Tells whether the client of a request closed its connection before the answer's end."""
    cycle: Cycle | None = scope.get(_CYCLE)
    return cycle is not None and cycle.disconnected


def body_writer(scope: Scope) -> "Cycle":
    """Returns what writes the body of a request's answer once its head was sent."""
    cycle: Cycle = scope[_CYCLE]
    return cycle


class Cycle(RequestResponseCycle):
    """One request and its answer on a connection; `task` runs the app on it."""

    connection: "Connection"
    task: asyncio.Task[None] | None = None
    service_drain: Drain | None = None
    _ends_by_close = False
    # Is written with what follows: an answer is one packet more often than not.
    _head = b""
    body_timeout_s: float = BODY_TIMEOUT_S
    _read_bytes = 0
    _rate: BodyRate | None = None
    _is_waiting = _is_late = False

    def end_early(self) -> None:
        """Cancels the task, unless the answer is complete: nobody is there to read it."""
        if self.response_complete:
            return
        self.disconnected = True
        self.message_event.set()
        if self.task is not None:
            self.task.cancel()

    async def receive(self) -> Any:
        """Reads a part of the request's body. Raises RequestTimedOut where it comes too slowly."""
        if self.more_body and not self.body:
            self._is_waiting = True
            self._rate = self._rate or self._body_rate()
        if self._is_waiting or not self.message_event.is_set():
            message = await super().receive()
        else:
            message = self._received()
        self._is_waiting = False
        if self._is_late:
            raise body_too_slow(self.body_timeout_s)
        self._read_bytes += len(message.get("body", b""))  # type: ignore[arg-type]
        if not self.more_body:
            # To see the client leave; nobody else reads on now.
            self.connection.read_on()
        return message

    def _received(self) -> Any:
        """Returns what is there already, as uvicorn's own `receive` does when it need not wait."""
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        message = {"type": "http.request", "body": bytes(self.body), "more_body": self.more_body}
        self.body = bytearray()
        self.message_event.clear()
        return message

    def _body_rate(self) -> BodyRate:
        return BodyRate(
            self.connection.loop,
            self.body_timeout_s,
            received=lambda: self._read_bytes + len(self.body),
            is_waited_for=lambda: self._is_waiting,
            on_late=self._body_is_late,
        )

    def _body_is_late(self) -> None:
        self._is_late = True
        self.message_event.set()

    def end(self) -> None:
        """Parts with what refers to it, once its task is done."""
        self.task = None
        self.scope.pop(_CYCLE, None)  # type: ignore[misc]
        if self._rate is not None:
            self._rate.stop()
            self._rate = None

    async def send(self, message: Message) -> None:  # type: ignore[override]
        """Writes a part of the answer; waits while the client reads more slowly than it comes."""
        if self.response_started:
            await self.drain()
        if self.disconnected:
            return
        if not self.response_started:
            self._start(message["status"], [*self.default_headers, *message.get("headers", ())])
        elif not self.response_complete:
            self._write(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise RuntimeError("the answer was complete already")

    @property
    def is_paused(self) -> bool:
        """Whether the client reads more slowly than it is written to."""
        return self.flow.write_paused and not self.disconnected

    def write(self, data: bytes) -> bool:
        """Writes a piece of the body now, unless the client has left or the answer is complete.

        Returns whether the client keeps up. The answer must have started.
        """
        if self.disconnected or self.response_complete:
            return True
        self._write(data, more=True)
        return not self.flow.write_paused

    async def drain(self) -> None:
        """Waits until the client has read some of what was written, or leaves.

        One that reads nothing for a minute is taken to have left: what its request holds is
        needed by others.
        """
        if self.is_paused:
            try:
                async with asyncio.timeout(self.connection.write_timeout_s):
                    await self.flow.drain()
            except TimeoutError:
                self.transport.abort()

    def _start(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.waiting_for_100_continue = False
        head = [STATUS_LINE[status]]
        closes = False
        names, values = zip(*headers, strict=True)
        if _BAD_NAME.search(b"".join(names)) or _BAD_VALUE.search(b"".join(values)):
            raise RuntimeError("a header of the answer is malformed")
        for name, value in headers:
            if name == b"content-length":
                self.chunked_encoding, self.expected_content_length = False, int(value)
            elif name == b"connection":
                closes = b"close" in value.lower()
            head += (name, b": ", value, b"\r\n")
        if self.service_drain is not None and self.service_drain.started:
            self.keep_alive = False
            head.append(ENDING_HEADER + b": true\r\n")
        elif closes:
            self.keep_alive = False
        if self.chunked_encoding is None:
            self._frame(status, head)
        if not (self.keep_alive or closes):
            head.append(b"connection: close\r\n")
        head.append(b"\r\n")
        self.response_started = True
        self._head = b"".join(head)

    def _frame(self, status: int, head: list[bytes]) -> None:
        """Decides how the end of an answer without a length is told."""
        self.chunked_encoding = False
        if self.scope["method"] == "HEAD" or status in _WITHOUT_BODY:
            return
        if self.scope["http_version"] == "1.0":
            self._ends_by_close, self.keep_alive = True, False
        else:
            self.chunked_encoding = True
            head.append(b"transfer-encoding: chunked\r\n")

    def _write(self, body: bytes, *, more: bool) -> None:
        head, self._head = self._head, b""
        if self.scope["method"] == "HEAD":
            self.expected_content_length, body = 0, b""
        elif self.chunked_encoding:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = chunk if more else chunk + b"0\r\n\r\n"
        elif not self._ends_by_close:
            self._count(len(body))
        self.transport.write(head + body if head else body)
        if not more:
            self._complete()

    def _count(self, number: int) -> None:
        self.expected_content_length -= number
        if self.expected_content_length < 0:
            raise RuntimeError("the answer is longer than its content-length")

    def _complete(self) -> None:
        if self.expected_content_length:
            raise RuntimeError("the answer is shorter than its content-length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.connection.close(is_unread=self.more_body)
        self.on_response()


class Connection(HttpToolsProtocol):
    """One TCP connection of a client: its requests in order, one at a time."""

    def __init__(
        self,
        *args: Any,
        drain: Drain | None = None,
        limit: ConnectionLimit | None = None,
        head_timeout_s: float = HEAD_TIMEOUT_S,
        body_timeout_s: float = BODY_TIMEOUT_S,
        write_timeout_s: float = WRITE_TIMEOUT_S,
        error_forms: ErrorForms | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._drain = drain
        self._limit = limit
        self._error_forms = error_forms or ErrorForms()
        self.url = b""
        self._is_counted = False
        self._head = HeadBounds(self.loop, head_timeout_s, self._head_is_late)
        self._idle = idle_times(self.loop, self.timeout_keep_alive)
        self._body_timeout_s = body_timeout_s
        self.write_timeout_s = write_timeout_s
        self._running: Cycle | None = None
        self._problem: RacroError | None = None
        # What comes is dropped.
        self._is_deaf = self._is_closing = False
        self._dropped_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._limit is not None:
            self._is_counted = self._limit.enter()
            if not self._is_counted:
                self._refuse_connection(self._limit)
                return
        self._head.expect()

    def _refuse_connection(self, limit: ConnectionLimit) -> None:
        """Answers a connection that is one too many, before it has asked anything."""
        self._write_error(
            Overloaded(f"there are {limit.most} connections, the most; ask again later")
        )
        # It may have been asked something already.
        self.close(is_unread=len(self.connections) - limit.open <= MOST_CLOSING)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._limit is not None and self._is_counted:
            self._limit.leave()
        self._head.stop()
        self._idle.stop(self)
        self.pipeline.clear()
        if self._running is not None:
            self._running.end_early()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what came; a head is refused as soon as it is too large."""
        if self._is_deaf:
            self._drop(data)
            return
        self._idle.stop(self)
        self._head.count(len(data))
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(self._problem or InvalidRequest("the request is not valid HTTP/1.1"))
            return
        if not (self._head.is_next or self._is_idle):
            return
        if self._head.is_too_large:
            self._refuse(head_too_large())
        elif not self._head.is_timed:
            self._head.expect()

    @property
    def _is_idle(self) -> bool:
        """Whether no request is under way; the rest of one's body may still come."""
        return self._running is None or self._running.response_complete

    def _parse(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offered:
                # The parser takes what follows for the other protocol; here it is the request's
                # body.
                data = self._head_without_upgrade() + data[offered.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """Returns the request's head without the offer of another protocol, such as h2c."""
        version = self.scope["http_version"].encode()
        lines = [b"%b %b HTTP/%b" % (self.scope["method"].encode(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                kept = [token for token in value.split(b",") if not _OFFERS.search(token)]
                lines += [b"connection: " + b",".join(kept)] if kept else []
            elif name != b"upgrade":
                lines.append(name + b": " + value)
        return b"\r\n".join([*lines, b"", b""])

    # Called by the parser.

    def on_message_begin(self) -> None:
        self._head.start()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Starts the request, or has it wait for those that came before it."""
        if not self._head.end(self.url, self.headers):
            self._fail(head_too_large())
        self._describe(self.scope)
        if self.scope["method"] == "CONNECT":
            self._fail(InvalidRequest("CONNECT is for proxies"))
        if self.parser.should_upgrade():
            return
        if len(self.pipeline) >= _MOST_WAITING:
            self._fail(InvalidRequest(f"over {_MOST_WAITING} requests wait for their answers"))
        self.cycle = cycle = self._new_cycle()
        if self._is_idle:
            self._start_asgi_task(cycle, self.app)
        else:
            self.pipeline.appendleft((cycle, self.app))
            self.read_on()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Starts the next request, or waits for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)  # type: ignore[arg-type] # the same app
        else:
            self._idle.start(self)
        self.read_on()

    def on_idle(self) -> None:
        self.timeout_keep_alive_handler()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.cycle is not self._running:
            self.read_on()

    def read_on(self) -> None:
        """Reads on, to see the client leave, unless bodies of many bytes wait already."""
        waiting = self.pipeline
        if waiting and sum(len(cycle.body) for cycle, _ in waiting) >= _MOST_WAITING_BYTES:
            self.flow.pause_reading()
        else:
            self.flow.resume_reading()

    def _fail(self, problem: RacroError) -> NoReturn:
        """Stops the parser, from one of its callbacks."""
        self._problem = problem
        raise ValueError(problem.message)

    def _describe(self, scope: Any) -> None:
        """Fills a scope from the first line of the request."""
        url = httptools.parse_url(self.url)
        raw_path = url.path or b"/"
        path = raw_path.decode("ascii")
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = self.parser.get_http_version()
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = raw_path
        scope["query_string"] = url.query or b""

    def _new_cycle(self) -> Cycle:
        is_1_1 = self.parser.get_http_version() == "1.1"
        cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and is_1_1,
            keep_alive=is_1_1 and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.connection, cycle.service_drain = self, self._drain
        cycle.body_timeout_s = self._body_timeout_s
        self.scope[_CYCLE] = cycle  # type: ignore[literal-required]
        return cycle

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override]
        assert isinstance(cycle, Cycle)  # noqa: S101 - of this class
        self._running = cycle
        cycle.task = self.loop.create_task(cycle.run_asgi(app))  # type: ignore[arg-type]
        self.tasks.add(cycle.task)
        cycle.task.add_done_callback(partial(self._forget, cycle))

    def _forget(self, cycle: Cycle, task: asyncio.Task[None]) -> None:
        """Parts with a task that is done, so that none of it has to wait for the collector."""
        self.tasks.discard(task)
        cycle.end()

    # What is refused.

    def _head_is_late(self) -> None:
        if self._head.has_started:
            self._refuse(head_too_slow(self._head.timeout_s))
        else:
            self.transport.close()

    def _refuse(self, error: RacroError) -> None:
        """Answers with an error, after which nothing more is read, and closes the connection."""
        self._is_deaf = True
        self._head.stop()
        running = self._running
        if running is not None and not running.response_complete:
            if running.response_started or not running.more_body:
                # The answer to an earlier request is on its way.
                running.keep_alive = False
                self.pipeline.clear()
                return
            running.end_early()
        self.logger.warning("%s", error.message)
        self._write_error(error)
        self.close(is_unread=True)

    def _write_error(self, error: RacroError) -> None:
        # Refused before it was given an id.
        body = encode(self._error_form().envelope(error, ""))
        head = [STATUS_LINE[error.status], b"%b: %b\r\n" % JSON, b"connection: close\r\n"]
        if error.retry_after_s is not None:
            head.append(b"retry-after: %d\r\n" % error.retry_after_s)
        head.append(b"content-length: %d\r\n\r\n" % len(body))
        self.transport.write(b"".join(head) + body)

    def _error_form(self) -> ErrorForm:
        """Returns the form of errors for the request that comes, as far as it was parsed."""
        try:
            path = httptools.parse_url(self.url).path or b""
        except httptools.HttpParserError:
            return OPENAI
        return self._error_forms.of(unquote(path.decode("latin-1")), self.headers or ())

    def close(self, *, is_unread: bool) -> None:
        """Closes the connection when all has been written.

        Where the client still sends (`is_unread`), closing at once would reset the connection, and
        the answer could be lost: up to 1 MiB of what comes in two seconds is read and dropped.
        """
        if self._is_closing or not (is_unread or self._is_deaf):
            self.transport.close()
            return
        self._is_closing = self._is_deaf = True
        self._head.stop()
        self.flow.resume_reading()
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)

    def _drop(self, data: bytes) -> None:
        self._dropped_bytes += len(data)
        if self._dropped_bytes > _MOST_DROPPED_BYTES:
            self.transport.pause_reading()

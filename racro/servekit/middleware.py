"""Pure ASGI middleware, outermost first: Observe, CancelOnDisconnect, LimitBody, HotRoutes.

`routes.FindRoute`, `tracing.Trace` and `drain.Drain` stand behind the first. None of them reads the
Host header: the path is `scope["path"]`.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from racro.contracts.errors import RacroError, TooLarge
from racro.servekit import service_metrics
from racro.servekit.context import REQUEST_ID_HEADER, adopt_request_id, header, request_id
from racro.servekit.malloc import MemoryTrimmer
from racro.servekit.paths import printable
from racro.servekit.responses import error_response, unexpected_error

_log = logging.getLogger(__name__)
_access_log = logging.getLogger("racro.access")

QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})
CLIENT_CLOSED_REQUEST = 499
# Looking a label up costs more than counting under it.
_requests = cache(service_metrics.REQUESTS.labels)
_request_seconds = cache(service_metrics.REQUEST_SECONDS.labels)
_INTERNAL_ERROR = 500
_LARGE_BODY_BYTES = 2**20
_MOST_LOGGED_CHARACTERS = 200


def route_of(scope: Scope) -> str:
    """The route's template, never the client's own path: metric labels must stay few."""
    return getattr(scope.get("route"), "path", "unmatched")


def _path_asked_for(scope: Scope) -> str:
    """As it was sent, without the query, which may hold anything; safe to log."""
    raw = scope.get("raw_path")
    path = scope["path"] if raw is None else raw.decode("latin-1")
    return printable(path, most=_MOST_LOGGED_CHARACTERS)


class Observe:
    """Gives the request its id, and counts, times and logs it. Knows no content.

    Unexpected errors are answered here, where the request still has its id: Starlette would answer
    outside of all middleware.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = adopt_request_id(scope["headers"])
        token = request_id.set(identifier)
        id_header = (REQUEST_ID_HEADER.encode(), identifier.encode())
        status, started_answer = CLIENT_CLOSED_REQUEST, False

        async def observed_send(message: Message) -> None:
            nonlocal status, started_answer
            if message["type"] == "http.response.start":
                status, started_answer = message["status"], True
                message["headers"] = [*message.get("headers", ()), id_header]
            await send(message)

        asked_for = _path_asked_for(scope)
        started = time.perf_counter()
        service_metrics.IN_FLIGHT.inc()
        try:
            await self.app(scope, receive, observed_send)
        except Exception:
            _log.exception("unexpected error")
            if started_answer:
                status = _INTERNAL_ERROR
                raise
            await unexpected_error()(scope, receive, observed_send)
        finally:
            seconds = time.perf_counter() - started
            route = route_of(scope)
            service_metrics.IN_FLIGHT.dec()
            _requests(route, status).inc()
            _request_seconds(route).observe(seconds)
            if route not in QUIET_ROUTES:
                _access_log.info(
                    "%s %s",
                    scope["method"],
                    route,
                    extra={
                        "path": asked_for,
                        "status": status,
                        "ms": round(seconds * 1000, 1),
                    },
                )
            request_id.reset(token)


class CancelOnDisconnect:
    """Cancels the handler as soon as its client leaves, whatever it is waiting for.

    Cancelling closes the handler's upstream connections, and that is how an engine learns to stop
    generating. Starlette does this for streams only, and FastAPI not at all.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        client = _WatchedClient(receive, send)
        try:
            await self.app(scope, client.receive, client.send)
        except asyncio.CancelledError:
            if not client.gone:
                raise
            client.handler.uncancel()
            service_metrics.CLIENT_GONE.labels(route_of(scope)).inc()
        finally:
            client.stop_watching()


class _WatchedClient:
    """One request's client: watched from the end of its body to the end of its answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        handler = asyncio.current_task()
        assert handler is not None  # noqa: S101 - ASGI servers call us from a task
        self.handler = handler
        self.gone = False
        self._receive = receive
        self._send = send
        self._answered = False
        self._watcher: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        # While the body is being read the handler itself hears of a disconnect.
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._watcher = asyncio.create_task(self._watch())
        return message

    async def send(self, message: Message) -> None:
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._answered = True

    def stop_watching(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._answered:
            self.gone = True
            self.handler.cancel()


class LimitBody:
    """Stops reading a request body at `max_bytes`; a declared length over it is not read at all.

    The memory of large ones is given back afterwards.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self._trimmer = MemoryTrimmer()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = header(scope["headers"], "content-length")
        total = 0

        async def limited_receive() -> Message:
            nonlocal total
            if declared is not None and declared.isdecimal() and int(declared) > self.max_bytes:
                raise self._too_large()
            message = await receive()
            total += len(message.get("body", b""))
            if total > self.max_bytes:
                raise self._too_large()
            return message

        try:
            await self.app(scope, limited_receive, send)
        finally:
            if total > _LARGE_BODY_BYTES:
                self._trimmer.after_large_request()

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the request body is over max_body_bytes = {self.max_bytes}")


class HotRoutes:
    """Serves POST endpoints that are plain ASGI without the stack that FastAPI's own routes need.

    `endpoints` by path. What they raise of our errors is answered here, if their answer has not
    begun.
    """

    def __init__(self, app: ASGIApp, *, endpoints: Mapping[str, ASGIApp]) -> None:
        self.app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope.get("path", ""))
        if endpoint is None or scope.get("method") != "POST":
            await self.app(scope, receive, send)
            return
        scope["route"] = HotRoute(scope["path"])
        try:
            await endpoint(scope, receive, send)
        except RacroError as error:
            await error_response(error)(scope, receive, send)


class HotRoute(NamedTuple):
    """Stands in the scope where FastAPI's routes leave themselves."""

    path: str

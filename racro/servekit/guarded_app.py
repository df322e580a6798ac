"""The one way into a service: what happens to every request before and after its endpoint.

    id → route → span of its trace → drain → admission → endpoint → metrics, access log

All of it is in `GuardedApp`, in that order. Layers of middleware would cost a call, a closure or a
context manager each, for every request and every piece of a stream.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from types import MappingProxyType
from typing import Protocol

from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from racro.contracts.errors import RacroError, UpstreamUnavailable
from racro.servekit import service_metrics
from racro.servekit.access_log import AccessLog
from racro.servekit.asgi_routes import asgi_endpoints, known_routes
from racro.servekit.byte_budget import ByteBudget
from racro.servekit.context import request_id
from racro.servekit.cors import allow_origins
from racro.servekit.drain import Drain
from racro.servekit.error_forms import ErrorForms
from racro.servekit.exchange import Exchange
from racro.servekit.malloc import MemoryTrimmer
from racro.servekit.paths import RouteTable
from racro.servekit.protocol import has_client_left
from racro.servekit.responses import Headers, send_response, unexpected_error
from racro.servekit.tracing import exemplar, server_span

_log = logging.getLogger(__name__)

# Probes and scrapes are many, and nobody looks for them.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_READINESS = "/readyz"
# Who watches a service wants to know to its end: it is alive, and not ready.
_ANSWERED_TO_THE_END = frozenset({"/healthz", "/metrics"})
_NO_CONTENT = 204
_INTERNAL_ERROR = 500
_LARGE_BODY_BYTES = 2**20

# Looking a label up costs more than counting under it.
_requests = cache(service_metrics.REQUESTS.labels)
_request_seconds = cache(service_metrics.REQUEST_SECONDS.labels)


class Admission(Protocol):
    """Decides who may use a service."""

    async def enter(self, scope: Scope) -> Headers:
        """Admits a request and returns headers for its answer. Raises RacroError."""
        ...

    def leave(self, scope: Scope) -> None:
        """Is told of the end of each request that was admitted."""


class GuardedApp:
    """A service as it is served: the ASGI app of its API, guarded, measured and drained.

    All routes of `api` have to be there. `admission` decides who may use it (None: anybody);
    requests over `max_body_bytes` are refused, and those that would take the bodies of all requests
    in flight over `max_bytes_in_flight`. It ends as `Drain` says, by `shutdown_timeout_s` and
    `shutdown_quiet_s`. `absent` are paths under /v1 that are not served, with what
    to use instead; pages of `origins` may call the service from browsers; `error_forms` says which
    paths have errors in another form than OpenAI's.
    """

    def __init__(
        self,
        api: FastAPI,
        *,
        access_log: AccessLog,
        max_body_bytes: int,
        max_bytes_in_flight: int,
        shutdown_timeout_s: float,
        shutdown_quiet_s: float,
        admission: Admission | None = None,
        absent: Mapping[str, str] = MappingProxyType({}),
        origins: Sequence[str] = (),
        error_forms: ErrorForms | None = None,
    ) -> None:
        self.api = api
        self.error_forms = error_forms or ErrorForms()
        self.drain = Drain(timeout_s=shutdown_timeout_s, quiet_s=shutdown_quiet_s)
        self._access_log = access_log
        self._admission = admission
        self._endpoints = asgi_endpoints(api)
        self._max_body_bytes = max_body_bytes
        self.budget = ByteBudget(max(max_bytes_in_flight, max_body_bytes))
        self._serve_http = allow_origins(self._serve, origins)
        self._table = RouteTable(known_routes(api), absent)
        self._trimmer = MemoryTrimmer()
        self._in_flight = 0
        service_metrics.create_request_counters(route.path for route in known_routes(api))
        service_metrics.IN_FLIGHT.set_function(lambda: self._in_flight)
        service_metrics.BODY_BYTES.set_function(lambda: self.budget.taken)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        serve = self._serve_http if scope["type"] == "http" else self.api
        await serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, to its end or until its client leaves."""
        started = time.perf_counter()
        exchange = Exchange(
            scope, receive, send, max_body_bytes=self._max_body_bytes, budget=self.budget
        )
        token = request_id.set(exchange.id)
        self._in_flight += 1
        try:
            await self._answer(exchange)
        except asyncio.CancelledError:
            if has_client_left(scope):
                _uncancel()
                _count_client_gone(exchange)
            elif self.drain.over:
                _uncancel()
                await self._cut_off(exchange)
            else:
                raise
        except ClientDisconnect:
            # Its body was read when it left; the task need not have been cancelled yet.
            _count_client_gone(exchange)
        except Exception:
            _log.exception("unexpected error")
            if exchange.answer_started:
                exchange.status = _INTERNAL_ERROR
                raise
            await unexpected_error(scope)(scope, receive, exchange.send)
        finally:
            self._in_flight -= 1
            exchange.release()
            self._record(exchange, time.perf_counter() - started)
            request_id.reset(token)

    async def _answer(self, exchange: Exchange) -> None:
        """Finds the route of a request, and answers one that has none."""
        scope = exchange.scope
        method = scope["method"]
        path = scope["path"] = self._table.canonical(scope["path"])
        exchange.use_error_form(self.error_forms.of(path, scope["headers"]))
        route = self._table.find(path)
        if route is None:
            await exchange.fail(self._table.not_found(method, path))
            return
        exchange.route = route.path
        if method == "OPTIONS":
            await send_response(
                exchange.send, b"", status=_NO_CONTENT, headers=[route.allow_header]
            )
        elif not route.has(method):
            await exchange.fail(route.method_not_allowed(method))
        elif exchange.route in _ANSWERED_TO_THE_END:
            await self._call_endpoint(exchange)
        else:
            with server_span(exchange) if exchange.route not in _QUIET else nullcontext():
                await self._admit(exchange)

    async def _admit(self, exchange: Exchange) -> None:
        """Has a request answered by its endpoint, if it may come in now."""
        try:
            if exchange.route == _READINESS:
                # Requests are still served, and further ones should go elsewhere.
                self.drain.check_not_started()
            with self.drain:
                if self._admission is None:
                    await self._call_endpoint(exchange)
                    return
                exchange.headers += await self._admission.enter(exchange.scope)
                try:
                    await self._call_endpoint(exchange)
                finally:
                    self._admission.leave(exchange.scope)
        except RacroError as error:
            await exchange.fail(error)

    def _call_endpoint(self, exchange: Exchange) -> Awaitable[None]:
        """Has a request answered by the plain endpoint of its route, or else by FastAPI."""
        scope = exchange.scope
        if scope["method"] == "HEAD":
            # The server leaves the body out.
            scope = {**scope, "method": "GET"}
        endpoint = self._endpoints.get(exchange.route, self.api)
        return endpoint(scope, exchange.receive, exchange.send)

    async def _cut_off(self, exchange: Exchange) -> None:
        """Answers a request that was not done in the time of the drain, if nothing was said yet."""
        if not exchange.answer_started:
            await exchange.fail(UpstreamUnavailable("the service ended before it had an answer"))

    def _record(self, exchange: Exchange, seconds: float) -> None:
        route, status = exchange.route, exchange.status
        _requests(route, status).inc()
        _request_seconds(route).observe(seconds, exemplar(exchange.trace_id))
        if exchange.body_bytes > _LARGE_BODY_BYTES:
            self._trimmer.after_large_request()
        if route not in _QUIET:
            self._access_log.write(exchange, ms=seconds * 1000)


def _count_client_gone(exchange: Exchange) -> None:
    service_metrics.CLIENT_GONE.labels(exchange.route).inc()


def _uncancel() -> None:
    """Has this task go on, which was cancelled because a client left."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()

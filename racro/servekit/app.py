"""The app factory and the server that every service shares."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import uvicorn
from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from racro import __version__
from racro.contracts.errors import RacroError
from racro.servekit import service_metrics
from racro.servekit.asgi_routes import known_routes
from racro.servekit.connection_limit import ConnectionLimit, most_connections
from racro.servekit.docs import DOCS_ROUTES, add_docs
from racro.servekit.drain import DrainingServer
from racro.servekit.guarded_app import GuardedApp
from racro.servekit.health import Problem
from racro.servekit.listening import listen
from racro.servekit.logs import configure_logging
from racro.servekit.malloc import use_one_arena
from racro.servekit.paths import RouteTable
from racro.servekit.protocol import Connection
from racro.servekit.responses import on_http_exception, on_racro_error, on_unexpected_error
from racro.servekit.scrapes import Scrapes
from racro.servekit.settings import ServiceSettings
from racro.servekit.tasks import one_at_a_time
from racro.servekit.tracing import tracing

# What anybody is told: no secret is in it, and probes have no key.
PUBLIC_ROUTES = frozenset(
    {"/", "/healthz", "/readyz", "/version", "/metrics", "/openapi.json", *DOCS_ROUTES}
)

_ALLOCATIONS_BEFORE_COLLECTION = 10_000

# What a service opens for its requests, which find it in `scope["state"]`.
State = Mapping[str, Any]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[State]]
ReadinessCheck = Callable[[State], Coroutine[Any, Any, "Readiness"]]


@dataclass(frozen=True)
class Readiness:
    """What is wrong with each component (None: nothing), and whether a request would be served."""

    problems: Mapping[str, str | None]
    ready: bool

    @classmethod
    def of(cls, **problems: Problem | str | None) -> Self:
        """Ready when nothing is wrong with anything. Problems are told in detail."""
        told = {name: str(problem) if problem else None for name, problem in problems.items()}
        return cls(told, ready=not any(told.values()))

    @property
    def is_degraded(self) -> bool:
        """Whether requests would be served, but not all of them or not as well as they could be."""
        return self.ready and any(self.problems.values())


def _tell(state: Readiness) -> None:
    service_metrics.READY.set(state.ready)
    service_metrics.DEGRADED.set(state.is_degraded)
    # Or a reasoner that was taken out of the settings would stay.
    service_metrics.COMPONENT_OK.clear()
    for component, problem in state.problems.items():
        service_metrics.COMPONENT_OK.labels(component).set(problem is None)


def create_api(*, title: str, readiness: ReadinessCheck, lifespan: Lifespan) -> FastAPI:
    """Create an API with the routes that every service has, and our error envelope.

    `lifespan` opens what requests share. To be served, the API goes into a GuardedApp.
    """
    app = FastAPI(
        title=title,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # Looked up for every request while nobody collects it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        # Such a redirect would be built from the Host header.
        redirect_slashes=False,
    )
    app.add_exception_handler(RacroError, on_racro_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(Exception, on_unexpected_error)

    add_docs(app)
    _add_descriptions(app)
    _add_probes(app, readiness)
    return app


def _add_descriptions(app: FastAPI) -> None:
    """Add the routes that say which service and release this is."""

    @app.get("/", summary="What this service is, and the routes that it has.")
    async def about() -> dict[str, Any]:
        return {
            "service": app.title,
            "version": __version__,
            "docs": "/docs",
            "endpoints": RouteTable(known_routes(app)).listing(),
        }

    @app.get("/version", summary="The release.")
    async def version() -> dict[str, str]:
        return {"version": __version__}


def _add_probes(app: FastAPI, readiness: ReadinessCheck) -> None:
    """Add the routes that orchestrators and Prometheus call."""
    # They need no key, and each check calls every upstream.
    ready = one_at_a_time(readiness)
    scrapes = Scrapes(REGISTRY)

    @app.get("/healthz", summary="The process is alive.")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="A request would be served now; if not, what is missing.")
    async def readyz(request: Request) -> JSONResponse:
        state = await ready(request.scope["state"])
        _tell(state)
        body = {
            "status": "ready" if state.ready else "not_ready",
            "degraded": state.is_degraded,
            "checks": {name: problem or "ok" for name, problem in state.problems.items()},
        }
        return JSONResponse(body, status_code=200 if state.ready else 503)

    @app.get("/metrics", summary="Prometheus metrics.", response_class=Response)
    async def prometheus(request: Request) -> Response:
        # OpenMetrics, which alone has exemplars, where the scraper asks for it.
        encode, media_type = _encoder_for(request.headers.get("accept", ""))
        service_metrics.TASKS.set(len(asyncio.all_tasks()))
        return Response(await scrapes.encoded(media_type, encode), media_type=media_type)


def _encoder_for(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """Return the encoder of metrics and its media type for an Accept header, whatever it has."""
    kinds = (kind for kind in accept.split(",") if not _is_unwanted(kind))
    try:
        return choose_encoder(",".join(kinds))
    except (TypeError, ValueError):
        # It has a version that is no number.
        return choose_encoder("")


def _is_unwanted(kind: str) -> bool:
    """Whether a part of an Accept header has the weight 0."""
    weight = kind.rpartition(";")[2].strip()
    return weight.startswith("q=0") and not weight.strip("q=0.")


def serve(app: GuardedApp, settings: ServiceSettings, *, service: str) -> None:
    """Serve until a signal; requests in flight may end first, for `shutdown_timeout_s`."""
    limit = ConnectionLimit(most_connections(settings.max_connections))
    sockets = listen(settings.host, settings.port)
    use_one_arena()
    configure_logging(service=service, level=settings.log_level)
    # Before uvicorn listens to it, and when uvicorn raises it again after a second one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        loop="uvloop",
        http=partial(  # type: ignore[arg-type] # called as a class is
            Connection, drain=app.drain, limit=limit, error_forms=app.error_forms
        ),
        ws="none",
        timeout_keep_alive=settings.idle_connection_s,  # type: ignore[arg-type] # a time of asyncio
    )
    with tracing(service):
        # What was imported stays: the collector need not look through it again and again. A request
        # makes some hundreds of objects, which are gone without it.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_ALLOCATIONS_BEFORE_COLLECTION)
        DrainingServer(config, app.drain).run(sockets)

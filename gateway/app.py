"""The gateway's app: settings in, routes out."""

import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from gateway.admission import Admission
from gateway.cache import Cache
from gateway.cache.opening import open_caches
from gateway.captioner import CaptionerClient
from gateway.dialects.chat import ChatCompletions
from gateway.dialects.solve import Solve
from gateway.dialects.visual_contexts import VisualContexts
from gateway.fetch import Fetcher
from gateway.images import ImageLoader
from gateway.kept import KeptContexts
from gateway.parts import Parts
from gateway.perceive import Perceiver
from gateway.rates import Rates
from gateway.reasoners import Reasoners
from gateway.reload import Reloader
from gateway.settings import GatewaySettings
from gateway.tenants import Tenants, tenant_of
from racro.contracts.errors import UpstreamError
from racro.contracts.solve import (
    SolveRequest,
    SolveResponse,
    VisualContextRequest,
    VisualContextResponse,
)
from racro.servekit.app import Readiness, add_asgi_route, create_app
from racro.servekit.tasks import all_of
from racro.servekit.upstream import Upstream, open_session


def create_gateway(settings: GatewaySettings) -> FastAPI:
    """Raises BadKeysFileError."""
    solve = Solve(settings)
    chat = ChatCompletions(settings)
    visual_contexts = VisualContexts(settings)
    tenants = Tenants(settings)
    door = Admission(tenants)
    created = int(time.time())
    captioner: CaptionerClient
    reasoners: Reasoners
    cache: Cache
    reloader: Reloader

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal captioner, reasoners, cache, reloader
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(open_session())
            fetcher = Fetcher(settings.fetch, max_bytes=settings.limits.max_image_bytes)
            stack.push_async_callback(fetcher.close)
            caches = await open_caches(settings.cache)
            cache = caches.cache
            stack.push_async_callback(cache.close)
            rates = Rates(caches.server)
            captioner = CaptionerClient(
                Upstream(session, settings.captioner.url, name="captioner"),
                identity_ttl_s=settings.captioner.identity_ttl_s,
            )
            reasoners = Reasoners(settings.reasoners, session)
            reloader = Reloader(settings, reasoners)
            reloader.start()
            stack.push_async_callback(reloader.stop)
            perceiver = Perceiver(
                captioner,
                cache,
                caches.leases,
                max_tokens=settings.captioner.max_tokens,
                max_timeout_s=settings.limits.max_timeout_s,
                max_entry_bytes=settings.cache.max_entry_bytes,
            )
            parts = Parts(
                ImageLoader(settings.limits, fetcher),
                perceiver,
                KeptContexts(caches.shared, settings.cache),
                reasoners,
                rates,
            )
            solve.parts = chat.parts = visual_contexts.parts = parts
            door.rates = rates
            yield

    async def readiness() -> Readiness:
        """Ready with the captioner and one reasoner: another one away fails its own requests, and
        without the shared cache they take longer.
        """
        names = [f"reasoner {reasoner.name}" for reasoner in reasoners]
        checks = [captioner.check(), *(reasoner.check() for reasoner in reasoners)]
        blind, *away = await all_of(map(_problem, checks))
        problems = {"captioner": blind, **dict(zip(names, away, strict=True))}
        problems |= {"cache": cache.problem, "keys": tenants.problem, "settings": reloader.problem}
        return Readiness(problems, ready=blind is None and not all(away))

    app = create_app(
        title="RACRO gateway",
        max_body_bytes=settings.limits.max_body_bytes,
        readiness=readiness,
        lifespan=lifespan,
        door=door.before,
    )
    add_asgi_route(app, "/v1/solve", solve, request=SolveRequest, response=SolveResponse)
    add_asgi_route(
        app, "/v1/chat/completions", chat, request={"type": "object"}, response={"type": "object"}
    )

    add_asgi_route(
        app,
        "/v1/visual-contexts",
        visual_contexts,
        request=VisualContextRequest,
        response=VisualContextResponse,
    )

    @app.get("/v1/models", summary="The reasoners, by the names to use as `model`.")
    async def models(request: Request) -> dict[str, Any]:
        cards = [
            {
                "id": reasoner.name,
                "object": "model",
                "created": created,
                "owned_by": "racro",
                "context_tokens": reasoner.settings.context_tokens,
            }
            for reasoner in reasoners.of(tenant_of(request.scope))
        ]
        return {"object": "list", "data": cards}

    return app


async def _problem(check: Awaitable[None]) -> str | None:
    try:
        await check
    except UpstreamError as error:
        return error.message
    return None

"""The gateway's app: settings in, routes out."""

import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from gateway.cache import open_cache
from gateway.captioner import CaptionerClient
from gateway.dialects.chat import ChatCompletions
from gateway.dialects.solve import Solve
from gateway.fetch import Fetcher
from gateway.images import ImageLoader
from gateway.perceive import Perceiver
from gateway.reasoners import Reasoners
from gateway.settings import GatewaySettings
from gateway.solve import Solver
from racro.contracts.errors import UpstreamError
from racro.contracts.solve import SolveRequest, SolveResponse
from racro.servekit.app import Readiness, add_asgi_route, create_app
from racro.servekit.tasks import all_of
from racro.servekit.upstream import Upstream, open_session


def create_gateway(settings: GatewaySettings) -> FastAPI:
    solve = Solve(settings)
    chat = ChatCompletions(settings)
    created = int(time.time())
    captioner: CaptionerClient
    reasoners: Reasoners

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal captioner, reasoners
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(open_session())
            fetcher = Fetcher(settings.fetch, max_bytes=settings.limits.max_image_bytes)
            stack.push_async_callback(fetcher.close)
            cache = open_cache(settings.cache)
            stack.push_async_callback(cache.close)
            captioner = CaptionerClient(
                Upstream(session, settings.captioner.url, name="captioner"),
                identity_ttl_s=settings.captioner.identity_ttl_s,
            )
            reasoners = Reasoners(settings.reasoners, session)
            loader = ImageLoader(settings.limits, fetcher)
            perceiver = Perceiver(
                captioner,
                cache,
                max_tokens=settings.captioner.max_tokens,
                max_timeout_s=settings.limits.max_timeout_s,
            )
            solve.solver = Solver(loader, perceiver, reasoners)
            chat.loader, chat.perceiver, chat.reasoners = loader, perceiver, reasoners
            yield

    async def readiness() -> Readiness:
        """Ready with the captioner and one reasoner: another one away fails its own requests."""
        names = [f"reasoner {reasoner.name}" for reasoner in reasoners]
        checks = [captioner.check(), *(reasoner.check() for reasoner in reasoners)]
        blind, *away = await all_of(map(_problem, checks))
        return Readiness(
            {"captioner": blind, **dict(zip(names, away, strict=True))},
            ready=blind is None and not all(away),
        )

    app = create_app(
        title="RACRO gateway",
        max_body_bytes=settings.limits.max_body_bytes,
        readiness=readiness,
        lifespan=lifespan,
    )
    add_asgi_route(app, "/v1/solve", solve, request=SolveRequest, response=SolveResponse)
    add_asgi_route(
        app, "/v1/chat/completions", chat, request={"type": "object"}, response={"type": "object"}
    )

    @app.get("/v1/models", summary="The reasoners, by the names to use as `model`.")
    async def models() -> dict[str, Any]:
        cards = [
            {
                "id": reasoner.name,
                "object": "model",
                "created": created,
                "owned_by": "racro",
                "context_tokens": reasoner.settings.context_tokens,
            }
            for reasoner in reasoners
        ]
        return {"object": "list", "data": cards}

    return app


async def _problem(check: Awaitable[None]) -> str | None:
    try:
        await check
    except UpstreamError as error:
        return error.message
    return None

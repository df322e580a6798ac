"""The gateway's app: settings in, routes out."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from gateway.admission import Admission
from gateway.dialects.chat import ChatCompletions
from gateway.dialects.solve import Solve
from gateway.dialects.visual_contexts import VisualContexts
from gateway.parts import Parts, open_parts
from gateway.playground.routes import add_playground
from gateway.readiness import readiness
from gateway.settings import GatewaySettings
from gateway.tenants import Tenants, tenant_of
from racro.contracts.solve import (
    SolveRequest,
    SolveResponse,
    VisualContextRequest,
    VisualContextResponse,
)
from racro.servekit.app import add_asgi_route, create_app


def create_gateway(settings: GatewaySettings) -> FastAPI:
    """Raises BadKeysFileError."""
    solve = Solve(settings)
    chat = ChatCompletions(settings)
    visual_contexts = VisualContexts(settings)
    tenants = Tenants(settings)
    door = Admission(tenants)
    created = int(time.time())
    parts: Parts

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal parts
        async with open_parts(settings) as parts:
            solve.parts = chat.parts = visual_contexts.parts = parts
            door.rates = parts.rates
            yield

    app = create_app(
        title="RACRO gateway",
        max_body_bytes=settings.limits.max_body_bytes,
        readiness=lambda: readiness(parts, tenants),
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
            for reasoner in parts.reasoners.of(tenant_of(request.scope))
        ]
        return {"object": "list", "data": cards}

    if settings.serves_playground:
        add_playground(app)
    return app

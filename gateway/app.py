"""The gateway's app: settings in, routes out."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from gateway.dialects.chat import ChatCompletions
from gateway.dialects.solve import Solve
from gateway.dialects.visual_contexts import VisualContexts
from gateway.playground.routes import add_playground
from gateway.readiness import readiness
from gateway.reasoning.reasoners import Reasoner
from gateway.services import Services, open_services
from gateway.settings import GatewaySettings
from gateway.tenancy.admission import Admission
from gateway.tenancy.tenants import Tenants, tenant_of
from racro.contracts.chat import ChatCompletion, ChatCompletionRequest
from racro.contracts.solve import (
    SolveRequest,
    SolveResponse,
    VisualContextRequest,
    VisualContextResponse,
)
from racro.servekit.app import add_asgi_route, create_app

_USE_CHAT = "use POST /v1/chat/completions"
# What clients often ask an OpenAI-compatible server for.
_ABSENT = {
    "/v1/completions": f"only chat is served; {_USE_CHAT}",
    "/v1/responses": f"this API is not served; {_USE_CHAT}",
    "/v1/messages": f"this API is not served; {_USE_CHAT}",
    "/v1/embeddings": "no model here makes embeddings; ask a server that has one",
}


def create_gateway(settings: GatewaySettings) -> FastAPI:
    """Raises BadKeysFileError."""
    solve = Solve(settings)
    chat = ChatCompletions(settings)
    visual_contexts = VisualContexts(settings)
    tenants = Tenants(settings)
    admission = Admission(tenants)
    created = int(time.time())
    services: Services

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal services
        async with open_services(settings) as services:
            solve.services = chat.services = visual_contexts.services = services
            admission.rates = services.rates
            yield

    app = create_app(
        title="RACRO gateway",
        max_body_bytes=settings.limits.max_body_bytes,
        readiness=lambda: readiness(services, tenants),
        lifespan=lifespan,
        admission=admission.wrap,
        absent=_ABSENT,
        origins=settings.cors.origins,
    )
    add_asgi_route(app, "/v1/solve", solve, request=SolveRequest, response=SolveResponse)
    add_asgi_route(
        app, "/v1/chat/completions", chat, request=ChatCompletionRequest, response=ChatCompletion
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
        reasoners = services.reasoners.visible_to(tenant_of(request.scope))
        return {"object": "list", "data": [_card(one, created) for one in reasoners]}

    @app.get("/v1/models/{model:path}", summary="One reasoner, by its name.")
    async def model(request: Request, model: str) -> dict[str, Any]:
        return _card(services.reasoners.get(model, tenant_of(request.scope)), created)

    if settings.serves_playground:
        add_playground(app)
    return app


def _card(reasoner: Reasoner, created: int) -> dict[str, Any]:
    """A model as clients look for it: the context length as vLLM and as OpenRouter say it, and that
    images may be shown.
    """
    modalities = {"input_modalities": ["text", "image"], "output_modalities": ["text"]}
    context_tokens = reasoner.settings.context_tokens
    return {
        "id": reasoner.name,
        "object": "model",
        "created": created,
        "owned_by": "racro",
        "context_tokens": context_tokens,
        "max_model_len": context_tokens,
        "context_length": context_tokens,
        **modalities,
        "architecture": {"modality": "text+image->text", **modalities},
    }

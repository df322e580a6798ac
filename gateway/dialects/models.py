"""`GET /v1/models`: the reasoners, as OpenAI's API lists models."""

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from gateway.reasoning.reasoners import Reasoner
from gateway.services import services_of
from gateway.tenancy.tenants import tenant_of


def add_models(api: FastAPI) -> None:
    """Add the routes that list the reasoners a tenant may use."""

    @api.get("/v1/models", summary="The reasoners, by the names to use as `model`.")
    async def models(request: Request) -> dict[str, Any]:
        services = services_of(request.scope)
        reasoners = services.reasoners.visible_to(tenant_of(request.scope))
        return {"object": "list", "data": [_card(one, services.started) for one in reasoners]}

    @api.get("/v1/models/{model:path}", summary="One reasoner, by its name.")
    async def model(request: Request, model: str) -> dict[str, Any]:
        services = services_of(request.scope)
        reasoner = services.reasoners.get(model, tenant_of(request.scope))
        return _card(reasoner, services.started)


def _card(reasoner: Reasoner, created: int) -> dict[str, Any]:
    """Return a reasoner in the shape in which clients look for a model.

    It has the context length under the names of vLLM and of OpenRouter, and says that images are
    accepted. `created` is in seconds since 1970.
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

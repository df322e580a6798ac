"""`GET /v1/models`: the reasoners, as OpenAI's API lists models, or as Anthropic's for its SDKs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from gateway.reasoning.reasoners import Reasoner
from gateway.services import services_of
from gateway.tenancy.tenants import tenant_of

# Anthropic's clients send it with every request.
ANTHROPIC_VERSION = "anthropic-version"


def add_models(api: FastAPI) -> None:
    """Add the routes that list the reasoners a tenant may use."""

    @api.get("/v1/models", summary="The reasoners, by the names to use as `model`.")
    async def models(request: Request) -> dict[str, Any]:
        services = services_of(request.scope)
        reasoners = services.reasoners.visible_to(tenant_of(request.scope))
        if _is_from_anthropic_client(request):
            return _anthropic_list([_anthropic_card(one, services.started) for one in reasoners])
        return {"object": "list", "data": [_card(one, services.started) for one in reasoners]}

    @api.get("/v1/models/{model:path}", summary="One reasoner, by its name.")
    async def model(request: Request, model: str) -> dict[str, Any]:
        services = services_of(request.scope)
        reasoner = services.reasoners.get(model, tenant_of(request.scope))
        card = _anthropic_card if _is_from_anthropic_client(request) else _card
        return card(reasoner, services.started)


def _is_from_anthropic_client(request: Request) -> bool:
    return ANTHROPIC_VERSION in request.headers


def _card(reasoner: Reasoner, created: int) -> dict[str, Any]:
    """Return a reasoner in the shape in which clients look for a model.

    It has the context length under the names of vLLM and of OpenRouter, and says that images are
    accepted; `visual_context` tells whether they are captioned for it. `created` is in seconds
    since 1970.
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
        "visual_context": not reasoner.settings.vision,
        "architecture": {"modality": "text+image->text", **modalities},
    }


def _anthropic_list(cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return all cards as one page of Anthropic's list."""
    names = [card["id"] for card in cards] or [None]
    return {"data": cards, "has_more": False, "first_id": names[0], "last_id": names[-1]}


def _anthropic_card(reasoner: Reasoner, created: int) -> dict[str, Any]:
    """Return a reasoner in the shape of Anthropic's models; `created` is in seconds since 1970."""
    return {
        "type": "model",
        "id": reasoner.name,
        "display_name": reasoner.name,
        "created_at": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "max_input_tokens": reasoner.settings.context_tokens,
    }

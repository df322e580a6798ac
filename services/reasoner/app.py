"""Creates the app of the reasoner service."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from racro.contracts.anthropic import (
    CountTokensRequest,
    MessagesAnswer,
    MessagesRequest,
    TokenCount,
)
from racro.contracts.errors import NotStarted, UnknownModel
from racro.contracts.openai import ChatCompletion, ChatCompletionRequest
from racro.contracts.openai_input import ResponseAnswer, ResponseRequest
from racro.engines.engine import Engine
from racro.engines.registry import create_engine
from racro.servekit.access_log import AccessLog
from racro.servekit.app import Readiness, State, create_api
from racro.servekit.asgi_routes import add_asgi_route
from racro.servekit.error_forms import ANTHROPIC, ErrorForms, FormRule
from racro.servekit.guarded_app import GuardedApp
from racro.servekit.upstream import open_client
from services.reasoner.chat_completions import ChatCompletions
from services.reasoner.messages_api import CountTokens, Messages
from services.reasoner.responses_api import Responses
from services.reasoner.settings import ReasonerSettings

_MORE = (
    (Responses, ResponseRequest, ResponseAnswer),
    (Messages, MessagesRequest, MessagesAnswer),
    (CountTokens, CountTokensRequest, TokenCount),
)


def create_reasoner(settings: ReasonerSettings) -> GuardedApp:
    """Return the app that serves the model of the settings. Raises WrongSettingsError."""
    engine = create_engine(settings.engine, section="engine", served_name=settings.model)
    chat = ChatCompletions(settings, engine)
    dialects = ["chat", "responses", "messages"]
    created = int(time.time())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with open_client(settings.upstreams) as client:
            await engine.start(client)
            try:
                yield {}
            finally:
                await engine.stop()

    async def readiness(_: State) -> Readiness:
        return Readiness.of(engine=await engine.problem())

    api = create_api(title="RACRO reasoner", readiness=readiness, lifespan=lifespan)
    add_asgi_route(
        api, "/v1/chat/completions", chat, request=ChatCompletionRequest, response=ChatCompletion
    )
    for relayed, request, response in _MORE:
        relay = relayed(settings, engine)
        add_asgi_route(api, f"/v1{relay.path}", relay, request=request, response=response)

    @api.get("/v1/models", summary="The served models and the revisions of their weights.")
    async def models() -> dict[str, Any]:
        cards = await _model_cards(engine, created, dialects)
        return {"object": "list", "data": [*cards.values()]}

    @api.get("/v1/models/{model:path}", summary="One of the served models, by its name.")
    async def model(model: str) -> dict[str, Any]:
        cards = await _model_cards(engine, created, dialects)
        if model not in cards:
            raise UnknownModel("no such model; GET /v1/models lists them", param="model")
        return cards[model]

    return GuardedApp(
        api,
        access_log=AccessLog(service="reasoner", share=settings.access_log_share),
        max_body_bytes=settings.max_body_bytes,
        max_bytes_in_flight=settings.max_bytes_in_flight,
        shutdown_timeout_s=settings.shutdown_timeout_s,
        shutdown_quiet_s=settings.shutdown_quiet_s,
        error_forms=ErrorForms([FormRule("/v1/messages", ANTHROPIC)]),
    )


async def _model_cards(
    engine: Engine, created: int, dialects: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return what is told of each served model, by its name.

    The gateway reads `dialects`: which APIs are served.

    Raises NotStarted while none would answer.
    """
    if problem := await engine.problem():
        raise NotStarted(problem.public)
    revision = await engine.revision()
    return {
        name: {
            "id": name,
            "object": "model",
            "created": created,
            "owned_by": "racro",
            "revision": model.revision(revision),
            "dialects": dialects,
        }
        for name, model in engine.models.items()
    }

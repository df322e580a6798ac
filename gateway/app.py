"""The gateway's app: settings in, the served app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway.dialects.anthropic_messages import Messages
from gateway.dialects.chat import ChatCompletions
from gateway.dialects.model_list import ANTHROPIC_VERSION, add_models
from gateway.dialects.native import Solve
from gateway.dialects.openai_responses import Responses
from gateway.dialects.token_counts import CountTokens
from gateway.dialects.visual_contexts import VisualContexts
from gateway.playground.routes import add_playground
from gateway.readiness import readiness
from gateway.services import open_services
from gateway.settings import GatewaySettings
from gateway.tenancy.admission import Admission
from gateway.tenancy.keys_file import BadKeysFileError
from gateway.tenancy.tenants import Tenants
from racro.base.wrong_settings import WrongSettingsError
from racro.contracts.anthropic import (
    CountTokensRequest,
    MessagesAnswer,
    MessagesRequest,
    TokenCount,
)
from racro.contracts.openai import ChatCompletion, ChatCompletionRequest
from racro.contracts.openai_input import ResponseAnswer, ResponseRequest
from racro.contracts.solve_api import (
    SolveRequest,
    SolveResponse,
    VisualContextRequest,
    VisualContextResponse,
)
from racro.servekit.access_log import AccessLog
from racro.servekit.app import Lifespan, State, create_api
from racro.servekit.asgi_routes import add_asgi_route
from racro.servekit.error_forms import ANTHROPIC, ErrorForms, FormRule
from racro.servekit.guarded_app import GuardedApp

_USE_CHAT = "use POST /v1/chat/completions"
# What clients often ask an OpenAI-compatible server for.
_ABSENT = {
    "/v1/completions": f"this API is not served; {_USE_CHAT}",
    "/v1/embeddings": "no model here makes embeddings; ask a server that has one",
}
_ERROR_FORMS = ErrorForms(
    [
        FormRule("/v1/messages", ANTHROPIC),
        FormRule("/v1/models", ANTHROPIC, header=ANTHROPIC_VERSION),
    ]
)


def create_gateway(settings: GatewaySettings) -> GuardedApp:
    """Create the gateway as it is served. Raises WrongSettingsError."""
    api = create_api(title="RACRO gateway", readiness=readiness, lifespan=_lifespan(settings))
    _add_dialects(api, settings)
    if settings.serves_playground:
        add_playground(api)
    return GuardedApp(
        api,
        access_log=AccessLog(service="gateway", share=settings.access_log_share),
        max_body_bytes=settings.limits.max_body_bytes,
        max_bytes_in_flight=settings.limits.max_bytes_in_flight,
        shutdown_timeout_s=settings.shutdown_timeout_s,
        shutdown_quiet_s=settings.shutdown_quiet_s,
        admission=Admission(),
        absent=_ABSENT,
        origins=settings.cors.origins,
        error_forms=_ERROR_FORMS,
    )


def _lifespan(settings: GatewaySettings) -> Lifespan:
    """Return what opens the services that requests share. Raises WrongSettingsError."""
    try:
        tenants = Tenants(settings)
    except BadKeysFileError as error:
        raise WrongSettingsError(f"tenants.keys_file: {error}") from error

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with open_services(settings, tenants) as services:
            yield services.state()

    return lifespan


def _add_dialects(api: FastAPI, settings: GatewaySettings) -> None:
    add_asgi_route(api, "/v1/solve", Solve(settings), request=SolveRequest, response=SolveResponse)
    add_asgi_route(
        api,
        "/v1/chat/completions",
        ChatCompletions(settings),
        request=ChatCompletionRequest,
        response=ChatCompletion,
    )
    add_asgi_route(
        api,
        "/v1/responses",
        Responses(settings),
        request=ResponseRequest,
        response=ResponseAnswer,
    )
    add_asgi_route(
        api, "/v1/messages", Messages(settings), request=MessagesRequest, response=MessagesAnswer
    )
    add_asgi_route(
        api,
        "/v1/messages/count_tokens",
        CountTokens(settings),
        request=CountTokensRequest,
        response=TokenCount,
    )
    add_asgi_route(
        api,
        "/v1/visual-contexts",
        VisualContexts(settings),
        request=VisualContextRequest,
        response=VisualContextResponse,
    )
    add_models(api)

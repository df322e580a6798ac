"""`POST /v1/visual-contexts`: perceive now, answer later."""

from functools import partial

from starlette.types import Receive, Scope, Send

from gateway.dialects.request_options import (
    cache_mode,
    caption_profile,
    check_question,
    time_limit,
)
from gateway.flow import ImageQuestion, perceive_images
from gateway.images.loader import ImageSource
from gateway.metrics import Stopwatch
from gateway.services import services_of
from gateway.settings import GatewaySettings
from gateway.tenancy.tenants import tenant_of
from racro.contracts.solve_api import VisualContextRequest, VisualContextResponse
from racro.servekit.context import within
from racro.servekit.responses import JSON, read_body, send_response
from racro.servekit.tasks import off_loop_if_large
from racro.servekit.validation import parse_json


class VisualContexts:
    """Perceive images now; the id stands for them in `/v1/solve` until it expires."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        services, tenant = services_of(scope), tenant_of(scope)
        body = await read_body(receive)
        limits = self._settings.limits
        parse = partial(
            parse_json, VisualContextRequest, body, fields=limits.fields, lists=limits.lists
        )
        request = await off_loop_if_large(len(body), parse)
        check_question(request.question or "", limits)
        sources = [
            ImageSource(image, param=f"images[{index}]")
            for index, image in enumerate(request.images)
        ]
        with within(time_limit(scope, request.timeout_s, limits)):
            [perception] = await perceive_images(
                services,
                tenant,
                [ImageQuestion(sources, request.question)],
                tentative=request.tentative,
                cache=cache_mode(scope, request.cache),
                profile=caption_profile(scope, request.caption_profile) or "description",
                watch=Stopwatch(),
            )
            receipt = await services.visual_contexts.add(
                tenant, perception, question=request.question
            )
        response = VisualContextResponse(
            id=receipt.id,
            expires_at=receipt.expires_at,
            visual_context=perception.context,
            usage=perception.usage,
        )
        result = (b"x-racro-visual-context", perception.context.cache.encode())
        await send_response(send, response.model_dump_json().encode(), headers=[JSON, result])

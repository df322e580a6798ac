"""`POST /v1/solve`: JSON or multipart in, one JSON object or named events out."""

import re
from collections.abc import Sequence
from functools import partial

from starlette.types import Receive, Scope, Send

from gateway.dialects.request_options import (
    cache_mode,
    caption_profile,
    check_question,
    time_limit,
)
from gateway.dialects.solve_forms import read_form
from gateway.flow import ImageQuestion
from gateway.images.loader import ImageSource
from gateway.services import services_of
from gateway.settings import GatewaySettings, LimitsSection
from gateway.solver import solve
from gateway.tenancy.tenants import tenant_of
from racro.contracts.errors import InvalidRequest, UnsupportedMediaType
from racro.contracts.perception import Delta
from racro.contracts.solve_api import SolveOptions, SolveRequest, SolveResponse, VisualContext
from racro.servekit.context import header, within
from racro.servekit.protocol import body_writer
from racro.servekit.responses import JSON, read_body, send_response
from racro.servekit.sse import NamedEventStream
from racro.servekit.tasks import off_loop_if_large
from racro.servekit.validation import parse_json

_AN_IMAGE = re.compile(r"images\[\d+\]")
_IMAGE_IN_JSON = "an image is a string: a data URL, base64, or an http(s) URL"


class _NoObserver:
    """Ignores everything: the client waits for the whole response."""

    async def on_caption_delta(self, delta: Delta) -> None: ...

    async def on_visual_context(self, context: VisualContext) -> None: ...

    async def on_reasoning_delta(self, text: str) -> None: ...

    async def on_answer_delta(self, text: str) -> None: ...


class _EventObserver:
    """Streams what happens as named events."""

    def __init__(self, out: NamedEventStream) -> None:
        self._out = out

    async def on_caption_delta(self, delta: Delta) -> None:
        fields = {"part": delta.part, "text": delta.text}
        await self._out.event("visual_context.delta", fields)

    async def on_visual_context(self, context: VisualContext) -> None:
        await self._out.event("visual_context.done", context.model_dump())

    async def on_reasoning_delta(self, text: str) -> None:
        await self._out.event("reasoning.delta", {"text": text})

    async def on_answer_delta(self, text: str) -> None:
        await self._out.event("answer.delta", {"text": text})


class Solve:
    """Answer a question about images."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        services, tenant = services_of(scope), tenant_of(scope)
        options, images = await _read(scope, receive, self._settings.limits)
        check_question(options.question, self._settings.limits)
        limit = time_limit(scope, options.timeout_s, self._settings.limits)
        asked = {
            "cache": cache_mode(scope, options.cache),
            "caption_profile": caption_profile(scope, options.caption_profile),
        }
        options = options.model_copy(update=asked)
        if options.stream:
            stream = NamedEventStream(
                send, body_writer(scope), keep_alive_s=self._settings.keep_alive_s
            )
            async with stream as out:
                with within(limit):
                    response = await solve(services, tenant, options, images, _EventObserver(out))
                await out.event("done", response.model_dump())
            return
        with within(limit):
            response = await solve(services, tenant, options, images, _NoObserver())
        await send_response(
            send, response.model_dump_json().encode(), headers=[JSON, *_headers(response)]
        )


def _headers(response: SolveResponse) -> Sequence[tuple[bytes, bytes]]:
    timing = response.timing_ms.model_dump()
    stages = ", ".join(f"{stage};dur={milliseconds}" for stage, milliseconds in timing.items())
    headers = [(b"server-timing", stages.encode())]
    if response.visual_context is not None:
        headers.append((b"x-racro-visual-context", response.visual_context.cache.encode()))
    return headers


async def _read(
    scope: Scope, receive: Receive, limits: LimitsSection
) -> tuple[SolveOptions, list[ImageQuestion]]:
    """Read the options of a request, and its images (none beside a `visual_context`)."""
    content_type = (header(scope["headers"], "content-type") or "application/json").lower()
    if content_type.startswith("multipart/form-data"):
        options, sources = await read_form(scope, receive, limits)
        _check_images(options, len(sources), param="image")
        return options, _image_questions(options, sources)
    if "json" not in content_type and not content_type.startswith("application/x-www-form"):
        raise UnsupportedMediaType("expected application/json or multipart/form-data")
    body = await read_body(receive)
    parse = partial(parse_json, SolveRequest, body, fields=limits.fields, lists=limits.lists)
    try:
        request = await off_loop_if_large(len(body), parse)
    except InvalidRequest as error:
        if _AN_IMAGE.fullmatch(error.param or ""):
            raise InvalidRequest(f"{error.message}; {_IMAGE_IN_JSON}", param=error.param) from error
        raise
    _check_images(request, len(request.images), param="images")
    sources = [
        ImageSource(image, param=f"images[{index}]") for index, image in enumerate(request.images)
    ]
    return request.model_copy(update={"images": ()}), _image_questions(request, sources)


def _image_questions(options: SolveOptions, sources: Sequence[ImageSource]) -> list[ImageQuestion]:
    return [ImageQuestion(sources, options.question)] if sources else []


def _check_images(options: SolveOptions, images: int, *, param: str) -> None:
    if images and options.visual_context is not None:
        raise InvalidRequest(f"{param}, visual_context: give one of the two", param=param)
    if not images and options.visual_context is None:
        raise InvalidRequest(
            f"{param}: at least one is required, or the visual_context of images that were "
            "perceived before",
            param=param,
        )

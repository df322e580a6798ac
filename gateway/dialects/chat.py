"""`POST /v1/chat/completions`: OpenAI's chat API, with eyes.

A request without images reaches the reasoner equal as JSON, except `model`; with images, only the
messages that show them, or ask about them again, are rewritten. A reasoner that knows one prompt
alone (compact-v1) is asked in that, see `prompting`.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec import Raw
from starlette.types import Receive, Scope, Send

from gateway import metrics
from gateway.dialects.asking import cache_mode, distinct
from gateway.dialects.conversation import find_image_turns
from gateway.dialects.prompting import reasoner_request, relevant_turns
from gateway.perception.perceive import Perception, PerceptionRequest
from gateway.reasoning.budget import visual_budget
from gateway.reasoning.reasoners import Reasoner
from gateway.reasoning.usage import last_usage, usage_of
from gateway.services import Services
from gateway.settings import GatewaySettings
from gateway.tenancy.tenants import Tenant, tenant_of
from racro.contracts.errors import InvalidRequest
from racro.contracts.perception import Usage
from racro.contracts.solve import CacheMode, VisualContext
from racro.servekit.context import timeout_from_headers, within
from racro.servekit.relay import raise_for_status
from racro.servekit.responses import JSON, Headers, NotJson, read_body, send_response
from racro.servekit.sse import EventStream
from racro.servekit.tasks import all_of, off_loop_if_large
from racro.servekit.tracing import generation, record_usage

_fields_decoder = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder().encode


class _Head(msgspec.Struct):
    """The fields that the gateway acts on."""

    model: str = "default"
    stream: bool | None = None


_NO_MESSAGES = Raw(b"[]")
_EMPTY = re.compile(rb"\s*\[\s*\]\s*")
_head_decoder = msgspec.json.Decoder(_Head)


class ChatRequest:
    """A chat request whose fields stay the bytes they were, and what it asks to look at."""

    def __init__(self, body: bytes, *, follow_up: bool) -> None:
        """Raise InvalidRequest if it is none."""
        try:
            body.decode()  # fields that are passed on unread must be UTF-8 too
            head = _head_decoder.decode(body)
            self._fields = _fields_decoder.decode(body)
            messages = bytes(self._fields.get("messages", _NO_MESSAGES))
            if _EMPTY.fullmatch(messages) and "messages" in self._fields:
                raise InvalidRequest("messages: at least one message is needed", param="messages")
            self.image_turns = find_image_turns(messages, follow_up=follow_up)
        except NotJson as error:
            raise InvalidRequest(f"the body is not a chat request: {error}") from error
        self.model = head.model
        self.stream = bool(head.stream)

    def for_reasoner(self, reasoner: Reasoner, seen: Sequence[Perception]) -> bytes:
        """The body that the reasoner gets: `seen` holds one perception for each of the looks.

        Asked for once: the request lets go of its own bytes, which nobody needs while the reasoner
        thinks.
        """
        looks, self.image_turns, fields, self._fields = self.image_turns, [], self._fields, {}
        return _encode(reasoner_request(fields, reasoner.settings, looks, _contexts(seen)))


class _Asker(NamedTuple):
    tenant: Tenant
    cache: CacheMode


class ChatCompletions:
    """OpenAI chat completions; images become visual contexts on the way."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self.services: Services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asker = _Asker(tenant_of(scope), cache_mode(scope))
        chat = await self._parse(await read_body(receive))
        reasoner = self.services.reasoners.get(chat.model, asker.tenant)
        chat.image_turns = relevant_turns(chat.image_turns, reasoner.settings)
        watch = metrics.Stopwatch()
        timeout_s = timeout_from_headers(
            scope["headers"],
            most_s=self._settings.limits.max_timeout_s,
            said_by="limits.max_timeout_s",
        )
        if chat.stream:
            stream = EventStream(send, keep_alive_s=self._settings.keep_alive_s)
            async with stream as out, within(timeout_s):
                await self._stream(asker, chat, reasoner, watch, out)
        else:
            async with within(timeout_s):
                await self._plain(asker, chat, reasoner, watch, send)
        watch.record("total", watch.total())

    async def _parse(self, body: bytes) -> ChatRequest:
        parse = partial(ChatRequest, body, follow_up=self._settings.follow_up)
        return await off_loop_if_large(len(body), parse)

    async def _stream(
        self,
        asker: _Asker,
        chat: ChatRequest,
        reasoner: Reasoner,
        watch: metrics.Stopwatch,
        out: EventStream,
    ) -> None:
        seen = await self._look(asker, chat, reasoner, watch)
        if seen:
            await out.add_headers(_headers(seen, watch))
        body = chat.for_reasoner(reasoner, seen)
        with (
            visual_budget(reasoner, _contexts(seen)),
            watch.stage("reason"),
            generation(reasoner.settings.model) as span,
        ):
            asked, usage = watch.total(), Usage()
            async with reasoner.chat(body) as response:
                await raise_for_status(response, name="reasoner")
                async for piece in response.content.iter_any():
                    if "first_token" not in watch.stages:
                        watch.record("first_token", watch.total() - asked)
                    await out.write(piece)
                    usage = last_usage(piece) or usage
            record_usage(span, usage)
        metrics.count_tokens("reasoner", usage)

    async def _plain(
        self,
        asker: _Asker,
        chat: ChatRequest,
        reasoner: Reasoner,
        watch: metrics.Stopwatch,
        send: Send,
    ) -> None:
        seen = await self._look(asker, chat, reasoner, watch)
        body = chat.for_reasoner(reasoner, seen)
        with (
            visual_budget(reasoner, _contexts(seen)),
            watch.stage("reason"),
            generation(reasoner.settings.model) as span,
        ):
            async with reasoner.chat(body) as response:
                await raise_for_status(response, name="reasoner")
                answer = await response.read()
            usage = usage_of(answer)
            record_usage(span, usage)
        metrics.count_tokens("reasoner", usage)
        await send_response(send, answer, headers=[JSON, *_headers(seen, watch)])

    async def _look(
        self, asker: _Asker, chat: ChatRequest, reasoner: Reasoner, watch: metrics.Stopwatch
    ) -> list[Perception]:
        """All looks at the same time; those of earlier turns are in the cache as a rule."""
        if not chat.image_turns:
            return []
        sources = [source for look in chat.image_turns for source in look.images]
        await self.services.rates.take(asker.tenant, "images", distinct(sources))
        with watch.stage("load"):
            images = iter(await self.services.loader.load(sources))
        looks = [
            PerceptionRequest(
                tenant=asker.tenant.tag,
                images=[next(images) for _ in look.images],
                question=look.question,
                tentative=reasoner.settings.tentative,
                cache=asker.cache,
            )
            for look in chat.image_turns
        ]
        with watch.stage("perceive"):
            return await all_of(self.services.perceiver.perceive(look) for look in looks)


def _contexts(seen: Sequence[Perception]) -> list[VisualContext]:
    return [perception.context for perception in seen]


def _headers(seen: Sequence[Perception], watch: metrics.Stopwatch) -> Headers:
    """Where each visual context came from, in the order of the turns, and what it took."""
    timing = (b"server-timing", watch.server_timing())
    if not seen:
        return [timing]
    results = ", ".join(perception.context.cache for perception in seen)
    return [(b"x-racro-visual-context", results.encode()), timing]

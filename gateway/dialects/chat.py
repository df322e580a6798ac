"""`POST /v1/chat/completions`: OpenAI's chat API, with eyes.

A request without images reaches the reasoner equal as JSON, except `model`; with images, only the
messages that show them, or ask about them again, are rewritten. A reasoner that knows one prompt
alone (compact-v1) is asked in that, see `prompting`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec
from msgspec import Raw
from starlette.types import Receive, Scope, Send

from gateway.dialects.conversation import ImageTurn, find_image_turns
from gateway.dialects.newest_turns import leave_out_oldest
from gateway.dialects.prompting import Outcome, reasoner_request, relevant_turns
from gateway.dialects.request_options import cache_mode
from gateway.flow import ImageQuestion, perceive_images
from gateway.metrics import Stopwatch
from gateway.noted_flow import perceive_or_note
from gateway.perception.request import Perception
from gateway.reasoning.reasoners import Reasoner
from gateway.reasoning.stage import ReasonStage
from gateway.services import Services, services_of
from gateway.settings import GatewaySettings, LimitsSection
from gateway.tenancy.tenants import Tenant, tenant_of
from racro.base.lone_surrogates import has_lone_surrogates, without_lone_surrogates
from racro.contracts.errors import InvalidRequest
from racro.contracts.solve_api import CacheMode, VisualContext
from racro.servekit.chat_relay import (
    StreamedAnswer,
    check_completion,
    choices_of,
    read_beginning,
)
from racro.servekit.context import timeout_from_headers, within
from racro.servekit.json_bounds import TooManyError, fields_of
from racro.servekit.protocol import body_writer
from racro.servekit.relay import raise_for_status
from racro.servekit.responses import (
    JSON,
    Headers,
    NotJson,
    check_utf8,
    read_body,
    send_response,
)
from racro.servekit.sse import EventStream
from racro.servekit.surrogates import (
    fields_with_surrogates,
    why_not_json,
)
from racro.servekit.tasks import is_small

_encode = msgspec.json.Encoder().encode
# What clients see of it in errors.
_REASONER = "reasoner"


class _Head(msgspec.Struct):
    """The fields that the gateway acts on."""

    model: str = "default"
    stream: bool | None = None


_NO_MESSAGES = Raw(b"[]")
_ONE = Raw(b"1")
_SMALL_BYTES = 16 * 2**10
# So many messages and parts take some twenty milliseconds.
_MOST_OBJECTS = 1024
# Of a number of answers; no more of it is looked at.
_MOST_DIGITS = 9
_head_decoder = msgspec.json.Decoder(_Head)


def _fields_of(body: bytes, most: int) -> dict[str, Raw]:
    """Return the fields of a request, their values undecoded. Raises NotJson, TooManyError."""
    try:
        return fields_of(body, most)
    except NotJson:
        # Python's servers read halves of surrogate pairs, as clients cut emojis.
        if not has_lone_surrogates(body):
            raise
        try:
            return fields_with_surrogates(body, most)
        except (ValueError, RecursionError):
            pass
        raise


def _head_of(body: bytes, fields: Mapping[str, Raw]) -> _Head:
    """Return the fields that the gateway acts on. Raises NotJson."""
    if len(body) <= _SMALL_BYTES:
        try:
            return _head_decoder.decode(body)
        except NotJson:
            pass  # Where another field cannot be decoded, these can.
    # A large body is gone through once.
    named = {name: fields[name] for name in _Head.__struct_fields__ if name in fields}
    return _head_decoder.decode(_encode(named))


def _choices_of(fields: Mapping[str, Raw]) -> int:
    """Return how many answers are asked for; what is no number is the reasoner's to judge."""
    digits = memoryview(fields.get("n", _ONE))[:_MOST_DIGITS].tobytes()
    return choices_of(int(digits) if digits.isdigit() else None)


def _messages_and_turns(
    messages: bytes, limits: LimitsSection, *, follow_up: bool
) -> tuple[bytes, list[ImageTurn]]:
    """Return the messages and their turns about images. Raises as `find_image_turns`."""
    try:
        return messages, find_image_turns(messages, limits, follow_up=follow_up)
    except NotJson:
        mended = without_lone_surrogates(messages)
        if mended is messages:
            raise
        turns = find_image_turns(mended, limits, follow_up=follow_up)
        # Messages that show no images are passed on as they are.
        return (mended, turns) if turns else (messages, turns)


def _is_light(body: bytes) -> bool:
    """Tell whether work on a body may be done on the event loop.

    That is so of a small one without very many objects or data URLs, which may be images.
    """
    return is_small(len(body)) and body.count(b"{") + body.count(b"data:") <= _MOST_OBJECTS


class ChatRequest:
    """A chat request whose fields stay the bytes they were, and its turns that are about images."""

    def __init__(self, body: bytes, *, follow_up: bool, limits: LimitsSection) -> None:
        """Parse a request body. Raises InvalidRequest."""
        self.is_light = _is_light(body)
        try:
            check_utf8(body)  # fields that are passed on unread must be UTF-8 too
            self._fields = _fields_of(body, limits.max_fields)
            head = _head_of(body, self._fields)
            messages = bytes(self._fields.get("messages", _NO_MESSAGES))
            messages, turns = _messages_and_turns(messages, limits, follow_up=follow_up)
            if turns:
                self._fields["messages"] = Raw(messages)
            self.image_turns = leave_out_oldest(turns, limits) if turns else turns
        except TooManyError as error:
            raise InvalidRequest(f"more fields than {limits.fields}") from error
        except NotJson as error:
            why = why_not_json(body, error)
            raise InvalidRequest(f"the body is not a chat request: {why}") from error
        self.model = head.model
        self.stream = bool(head.stream)
        self.asked_model: str | None = None
        self.choices = _choices_of(self._fields)

    def for_reasoner(self, reasoner: Reasoner, perceptions: Sequence[Outcome]) -> bytes:
        """Return the body for the reasoner, given one perception for each turn that is looked at.

        To be called once: the request gives up its own bytes, which are not needed while the
        reasoner answers. Notes in `asked_model` which model of the reasoner's server it names.
        """
        turns, self.image_turns, fields, self._fields = self.image_turns, [], self._fields, {}
        request = reasoner_request(fields, reasoner.settings, turns, perceptions)
        self.asked_model = request["model"]
        return _encode(request)


class ChatCompletions:
    """OpenAI chat completions; images become visual contexts on the way."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cache = cache_mode(scope)
        body = await read_body(receive)
        chat = self._parse(body) if _is_light(body) else await asyncio.to_thread(self._parse, body)
        limits = self._settings.limits
        completion = _Completion(services_of(scope), tenant_of(scope), chat, cache, limits)
        limit = timeout_from_headers(
            scope["headers"], most_s=limits.max_timeout_s, said_by="limits.max_timeout_s"
        )
        with completion.ticket:
            if not chat.stream:
                with within(limit):
                    await completion.send_plain(send)
            else:
                keep_alive_s = self._settings.keep_alive_s
                async with EventStream(send, body_writer(scope), keep_alive_s=keep_alive_s) as out:
                    with within(limit):
                        await completion.stream(out)
        completion.watch.record("total", completion.watch.total())

    def _parse(self, body: bytes) -> ChatRequest:
        settings = self._settings
        return ChatRequest(body, follow_up=settings.follow_up, limits=settings.limits)


class _Completion:
    """The story of one chat request: perceive its images, then relay the reasoner's answer.

    It is over when its `ticket` for the reasoner is given back.
    """

    def __init__(
        self,
        services: Services,
        tenant: Tenant,
        chat: ChatRequest,
        cache: CacheMode,
        limits: LimitsSection,
    ) -> None:
        """Raises UnknownModel."""
        self.watch = Stopwatch()
        self._services = services
        self._tenant = tenant
        self._chat = chat
        self._cache = cache
        self._most_chars = limits.max_question_chars
        self._reasoner = services.reasoners.get(chat.model, tenant)
        self.ticket = self._reasoner.queue.ticket(tenant)
        chat.image_turns = relevant_turns(chat.image_turns, self._reasoner.settings)

    async def stream(self, out: EventStream) -> None:
        perceptions = await self._perceive()
        if perceptions:
            await out.add_headers(_headers(perceptions, self.watch))
        body = await self._reasoner_body(perceptions)
        with self._stage(perceptions) as stage:
            started = self.watch.total()
            answer = StreamedAnswer(name=_REASONER, choices=self._chat.choices)
            async with self._reasoner.chat(body, self.ticket) as response:
                await raise_for_status(response, name=_REASONER)
                first = await read_beginning(response, name=_REASONER)
                self.watch.record("first_token", self.watch.total() - started)
                await out.write(first)
                answer.feed(first)
                await out.relay(response, answer.feed)
            answer.end()
            stage.usage = answer.usage
            stage.is_broken = answer.has_failed

    async def send_plain(self, send: Send) -> None:
        perceptions = await self._perceive()
        body = await self._reasoner_body(perceptions)
        with self._stage(perceptions) as stage:
            async with self._reasoner.chat(body, self.ticket) as response:
                await raise_for_status(response, name=_REASONER)
                answer = await response.read()
            check = partial(check_completion, answer, name=_REASONER)
            stage.usage = check() if is_small(len(answer)) else await asyncio.to_thread(check)
        await send_response(send, answer, headers=[JSON, *_headers(perceptions, self.watch)])

    def _stage(self, perceptions: Sequence[Outcome]) -> ReasonStage:
        return ReasonStage(
            self._reasoner,
            _contexts(perceptions),
            self.watch,
            self.ticket,
            model=self._chat.asked_model,
        )

    async def _reasoner_body(self, perceptions: Sequence[Outcome]) -> bytes:
        if self._chat.is_light:
            return self._chat.for_reasoner(self._reasoner, perceptions)
        return await asyncio.to_thread(self._chat.for_reasoner, self._reasoner, perceptions)

    async def _perceive(self) -> Sequence[Outcome]:
        """Perceive the images of all turns; those of earlier turns are in the cache as a rule."""
        questions = self._image_questions()
        if not questions:
            return []
        settings = self._reasoner.settings
        notes_all = settings.on_caption_failure == "note"
        perceive = (
            partial(perceive_or_note, notes_all=notes_all)
            if notes_all or any(map(_may_be_noted, questions))
            else perceive_images
        )
        return await perceive(
            self._services,
            self._tenant,
            questions,
            tentative=settings.tentative,
            cache=self._cache,
            watch=self.watch,
            ticket=self.ticket,
        )

    def _image_questions(self) -> list[ImageQuestion]:
        """Return what the captioner is asked: of a long turn its end, as the question is there."""
        return [
            ImageQuestion(
                turn.images,
                turn.question and turn.question[-self._most_chars :],
                turn.is_about_earlier,
            )
            for turn in self._chat.image_turns
            if not turn.left_out
        ]


def _may_be_noted(question: ImageQuestion) -> bool:
    """Tell whether a chat may go on without an image of a question."""
    return question.is_earlier or any(source.may_be_left_out for source in question.sources)


def _context(outcome: Outcome) -> VisualContext | None:
    perception = outcome if isinstance(outcome, Perception) else outcome.perception
    return None if perception is None else perception.context


def _contexts(outcomes: Sequence[Outcome]) -> list[VisualContext]:
    return [context for context in map(_context, outcomes) if context is not None]


def _headers(outcomes: Sequence[Outcome], watch: Stopwatch) -> Headers:
    """Headers that tell where each visual context came from, in turn order, and what it took."""
    timing = (b"server-timing", watch.server_timing())
    if not outcomes:
        return [timing]
    contexts = map(_context, outcomes)
    results = ", ".join("failed" if one is None else one.cache for one in contexts)
    return [(b"x-racro-visual-context", results.encode()), timing]

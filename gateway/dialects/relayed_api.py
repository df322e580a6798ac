"""What the APIs share whose requests go on to a reasoner, and whose answers come back as they are.

A request without images reaches the reasoner equal as JSON, except `model`; with images, only the
messages that show them, or ask about them again, are rewritten. A reasoner that knows one prompt
alone (compact-v1) is asked in that, see `prompting`; one that sees gets the images, see `seeing`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import ClassVar

from starlette.types import Receive, Scope, Send

from gateway.dialects.prompting import Outcome, relevant_turns
from gateway.dialects.relayed_request import RelayedRequest, is_light
from gateway.dialects.request_options import cache_mode, caption_profile
from gateway.dialects.seeing import PassedImages, load_shown
from gateway.flow import ImageQuestion, perceive_images
from gateway.metrics import Stopwatch
from gateway.noted_flow import perceive_or_note
from gateway.perception.request import Perception
from gateway.reasoning.served_dialects import Api
from gateway.reasoning.stage import ReasonStage
from gateway.services import Services, services_of
from gateway.settings import GatewaySettings, LimitsSection
from gateway.tenancy.tenants import Tenant, tenant_of
from racro.contracts.perception import CaptionProfile, Usage
from racro.contracts.solve_api import VisualContext
from racro.servekit.context import timeout_from_headers, within
from racro.servekit.protocol import body_writer
from racro.servekit.relay import raise_for_status
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.responses import JSON, Headers, read_body, send_response
from racro.servekit.sse import EventStream
from racro.servekit.tasks import is_small
from racro.servekit.upstream import Response

# What clients see of it in errors.
REASONER = "reasoner"


class RelayedApi(ABC):
    """An API that reasoners serve, too; images become visual contexts on the way."""

    api: ClassVar[Api]
    request_type: ClassVar[type[RelayedRequest]] = RelayedRequest
    event_stream: ClassVar[type[EventStream]] = EventStream

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings

    @abstractmethod
    def watch(self, request: RelayedRequest) -> RelayedStream:
        """Return what watches the stream that answers a request.

        To be called before the request gives up its fields.
        """

    @abstractmethod
    async def read_beginning(self, response: Response) -> bytes:
        """Return a stream's first bytes, which hold its first event.

        Raises what an error there means, UpstreamError where it is no stream of this API.
        """

    @abstractmethod
    def check_completion(self, answer: bytes) -> Usage:
        """Return the tokens that a plain answer reports. Raises UpstreamError if it is none."""

    def headers(self, scope: Scope) -> Mapping[str, str] | None:  # noqa: ARG002 - of some APIs
        """Return those of the client's headers that the reasoner is to have."""
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self._settings.limits
        body = await read_body(receive)
        parse = partial(self.request_type, body, follow_up=self._settings.follow_up, limits=limits)
        request = parse() if is_light(body) else await asyncio.to_thread(parse)
        del body, parse
        limit = timeout_from_headers(
            scope["headers"], most_s=limits.max_timeout_s, said_by="limits.max_timeout_s"
        )
        exchange = self.exchange(scope, request)
        with exchange.ticket:
            if not request.stream:
                with within(limit):
                    await exchange.send_plain(send)
            else:
                keep_alive_s = self._settings.keep_alive_s
                writer = body_writer(scope)
                async with self.event_stream(send, writer, keep_alive_s=keep_alive_s) as out:
                    with within(limit):
                        await exchange.stream(out)
        exchange.watch.record("total", exchange.watch.total())

    def exchange(self, scope: Scope, request: RelayedRequest) -> "Exchange":
        """Return what answers a request. Raises InvalidRequest and UnknownModel."""
        return Exchange(self, scope, request, self._settings.limits)


class Exchange:
    """The story of one request: perceive its images, then relay the reasoner's answer.

    It is over when its `ticket` for the reasoner is given back.
    """

    # Whether a line may stand for any image that a reasoner would see and that cannot be loaded.
    notes_images: ClassVar[bool] = False

    def __init__(
        self, api: RelayedApi, scope: Scope, request: RelayedRequest, limits: LimitsSection
    ) -> None:
        """Raises InvalidRequest and UnknownModel."""
        self.watch = Stopwatch()
        self._api = api
        self._scope = scope
        self._services: Services = services_of(scope)
        self._tenant: Tenant = tenant_of(scope)
        self._request = request
        self._limits = limits
        self._passed: PassedImages | None = None
        self._reasoner = self._services.reasoners.get(request.model, self._tenant)
        self._headers = api.headers(scope)
        request.check_for(self._reasoner.settings)
        self.ticket = self._reasoner.queue.ticket(self._tenant)
        request.image_turns = relevant_turns(request.image_turns, self._reasoner.settings)

    @property
    def _profile(self) -> CaptionProfile:
        """What its captions are. Raises InvalidRequest for a profile that there is not."""
        return caption_profile(self._scope) or self._reasoner.settings.caption_profile

    async def stream(self, out: EventStream) -> None:
        answer = self._api.watch(self._request)
        perceptions = await self._outcomes()
        if perceptions:
            await out.add_headers(_headers(perceptions, self.watch))
        body = await self._reasoner_body(perceptions)
        with self._stage(perceptions) as stage:
            started = self.watch.total()
            async with self._post(body) as response:
                await raise_for_status(response, name=REASONER)
                first = await self._api.read_beginning(response)
                self.watch.record("first_token", self.watch.total() - started)
                await out.write(first)
                answer.feed(first)
                await out.relay(response, answer.feed)
            answer.end()
            stage.usage = answer.usage
            stage.is_broken = answer.has_failed

    async def send_plain(self, send: Send) -> None:
        perceptions = await self._outcomes()
        body = await self._reasoner_body(perceptions)
        with self._stage(perceptions) as stage:
            async with self._post(body) as response:
                await raise_for_status(response, name=REASONER)
                answer = await response.read()
            check = partial(self._api.check_completion, answer)
            stage.usage = check() if is_small(len(answer)) else await asyncio.to_thread(check)
        await send_response(send, answer, headers=[JSON, *_headers(perceptions, self.watch)])

    def _post(self, body: bytes) -> AbstractAsyncContextManager[Response]:
        return self._reasoner.post(self._api.api, body, self.ticket, headers=self._headers)

    async def _outcomes(self) -> Sequence[Outcome]:
        """Return what comes of the images of all turns.

        Raises DialectUnsupported, before anything is perceived, where the reasoner's server has
        not this API.
        """
        await self._reasoner.dialects.check(self._api.api)
        if self._reasoner.settings.vision:
            self._passed = await self._load_shown()
            return []
        return await self._perceive() if self._request.image_turns else ()

    def _stage(self, perceptions: Sequence[Outcome]) -> ReasonStage:
        return ReasonStage(
            self._reasoner,
            _contexts(perceptions),
            self.watch,
            self.ticket,
            model=self._request.asked_model,
        )

    async def _reasoner_body(self, perceptions: Sequence[Outcome]) -> bytes:
        request, passed, is_light = self._request, self._passed, self._request.is_light
        write = partial(request.for_reasoner, self._reasoner, perceptions)
        if passed is not None:
            write = partial(request.for_seeing, self._reasoner.settings, passed, self._limits)
            is_light = is_light and not passed.has_fetched
        return write() if is_light else await asyncio.to_thread(write)

    async def _load_shown(self) -> PassedImages:
        """Load the images of all messages for a reasoner that sees them; no captioner is asked."""
        find = partial(self._request.shown_images, self._limits)
        shown = find() if self._request.is_light else await asyncio.to_thread(find)
        if not shown:
            return PassedImages({})
        with self.watch.stage("load"):
            return await load_shown(
                self._services.loader,
                shown,
                self._reasoner.settings,
                self._tenant,
                notes_all=self.notes_images,
            )

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
            cache=cache_mode(self._scope),
            profile=self._profile,
            watch=self.watch,
            ticket=self.ticket,
        )

    def _image_questions(self) -> list[ImageQuestion]:
        """Return what the captioner is asked: of a long turn its end, as the question is there."""
        return [
            ImageQuestion(
                turn.images,
                turn.question and turn.question[-self._limits.max_question_chars :],
                turn.is_about_earlier,
            )
            for turn in self._request.image_turns
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

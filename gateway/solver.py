"""The story of a solve: perceive the images, give the reasoner what was seen, return its answer.

A reasoner that sees is given the images themselves.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, NamedTuple, Protocol

from gateway.flow import ImageQuestion, perceive_images
from gateway.metrics import Stopwatch
from gateway.perception.request import Perception
from gateway.reasoning.reasoners import Reasoner
from gateway.reasoning.stage import ReasonStage
from gateway.seen_images import seeing_messages
from gateway.services import Services
from gateway.tenancy.fair_queue import Ticket
from gateway.tenancy.tenants import Tenant
from racro.answers.extract import solve_answer
from racro.answers.thought import split_reasoning
from racro.contracts.completion import RESULTS, failed_ending
from racro.contracts.errors import InvalidRequest, UpstreamError
from racro.contracts.perception import Delta, Usage, normalise_question
from racro.contracts.prompts import solve_messages
from racro.contracts.solve_api import (
    ReasonerName,
    SolveOptions,
    SolveResponse,
    SolveUsage,
    Timing,
    VisualContext,
)
from racro.servekit.tasks import off_loop_if_large

# More than any model's context, and what can be looked through for an answer at once.
_MOST_CHARACTERS = 2**20


class SolveObserver(Protocol):
    """Is told what happens in a solve while it happens, to stream it."""

    async def on_caption_delta(self, delta: Delta) -> None: ...

    async def on_visual_context(self, context: VisualContext) -> None: ...

    async def on_reasoning_delta(self, text: str) -> None: ...

    async def on_answer_delta(self, text: str) -> None: ...


async def solve(
    services: Services,
    tenant: Tenant,
    options: SolveOptions,
    images: list[ImageQuestion],
    observer: SolveObserver,
) -> SolveResponse:
    """Answer a question about `images`, or about those of the visual context in `options`.

    Empties `images` once they are loaded. Raises UnknownModel, DialectUnsupported, QueueFull,
    RateLimited, InvalidRequest for a visual context where the reasoner sees, and the errors of its
    stages.
    """
    watch = Stopwatch()
    reasoner = services.reasoners.get(options.model, tenant)
    await reasoner.dialects.check("chat")
    with reasoner.queue.ticket(tenant) as ticket:
        if reasoner.settings.vision:
            asked = await _seen(services, tenant, reasoner, options, images, watch)
        else:
            asked = await _captioned(
                services, tenant, reasoner, options, images, observer, ticket, watch
            )
        contexts = [] if asked.context is None else [asked.context]
        stage = ReasonStage(reasoner, contexts, watch, ticket)
        answer = await _reason(reasoner, asked.messages, ticket, stage, observer, watch)
    watch.record("total", watch.total())
    return await _response(reasoner, asked, answer, watch)


class _Asked(NamedTuple):
    """What the reasoner is asked, of what visual context, if any, and what that cost."""

    messages: Sequence[Mapping[str, Any]]
    context: VisualContext | None = None
    usage: Usage = Usage()


async def _seen(
    services: Services,
    tenant: Tenant,
    reasoner: Reasoner,
    options: SolveOptions,
    images: list[ImageQuestion],
    watch: Stopwatch,
) -> _Asked:
    """Return what a reasoner is asked that sees the images. Raises InvalidRequest without any."""
    if options.visual_context is not None:
        raise InvalidRequest(
            f"visual_context: the reasoner {reasoner.name} sees for itself; send it the images",
            param="visual_context",
        )
    question = options.question
    return _Asked(await seeing_messages(services.loader, tenant, images, question, watch))


async def _captioned(
    services: Services,
    tenant: Tenant,
    reasoner: Reasoner,
    options: SolveOptions,
    images: list[ImageQuestion],
    observer: SolveObserver,
    ticket: Ticket,
    watch: Stopwatch,
) -> _Asked:
    """Return what a reasoner is asked that reads captions."""
    if options.visual_context is None:
        [perception] = await perceive_images(
            services,
            tenant,
            images,
            tentative=options.tentative,
            cache=options.cache,
            profile=options.caption_profile or reasoner.settings.caption_profile,
            watch=watch,
            on_delta=observer.on_caption_delta,
            ticket=ticket,
        )
    else:
        perception = await _recall(services, tenant, options, options.visual_context, watch)
    await observer.on_visual_context(perception.context)
    messages = await _messages(reasoner, options.question, perception.context)
    return _Asked(messages, perception.context, perception.usage)


async def _messages(
    reasoner: Reasoner, question: str, context: VisualContext
) -> list[dict[str, str]]:
    """Return what the reasoner is asked."""
    caption, tentative = context.caption, context.tentative
    ask = partial(solve_messages, reasoner.settings.prompt_profile, question, caption, tentative)
    return await off_loop_if_large(len(caption) + len(tentative or ""), ask)


async def _recall(
    services: Services,
    tenant: Tenant,
    options: SolveOptions,
    identifier: str,
    watch: Stopwatch,
) -> Perception:
    """Return what was perceived before, at no cost in tokens."""
    with watch.stage("perceive"):
        question = normalise_question(options.question)
        context = await services.visual_contexts.get(tenant, identifier, question=question)
    if not options.tentative:
        context = context.model_copy(update={"tentative": None})
    return Perception(context, Usage())


class _Answer:
    """The reasoner's stream, gathered."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.usage = Usage()
        # Joined once: each `+=` of an attribute would copy all of it.
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._room = _MOST_CHARACTERS

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    def add(self, content: str | None, reasoning: str | None) -> None:
        """Take a piece. Raises UpstreamError where it becomes too long."""
        for piece, pieces in ((content, self._text), (reasoning, self._reasoning)):
            if piece:
                pieces.append(piece)
                self._room -= len(piece)
        if self._room < 0:
            raise UpstreamError(f"the reasoner's answer is over {_MOST_CHARACTERS} characters")


async def _reason(
    reasoner: Reasoner,
    messages: Sequence[Mapping[str, Any]],
    ticket: Ticket,
    stage: ReasonStage,
    observer: SolveObserver,
    watch: Stopwatch,
) -> _Answer:
    """Stream the reasoner's answer to `observer`, and return all of it.

    Raises UpstreamError where it ended otherwise than at its end or its limit of tokens.
    """
    answer = _Answer()
    started = watch.total()
    with stage:
        async with aclosing(reasoner.stream(messages, ticket)) as chunks:
            async for chunk in chunks:
                choice = chunk.first
                reasoning, content = choice.reasoning, choice.content
                if "first_token" not in watch.stages and (content or reasoning):
                    watch.record("first_token", watch.total() - started)
                answer.add(content, reasoning)
                if reasoning:
                    await observer.on_reasoning_delta(reasoning)
                if content:
                    await observer.on_answer_delta(content)
                answer.finish_reason = choice.finish_reason or answer.finish_reason
                answer.usage = chunk.tokens or answer.usage
        if answer.finish_reason not in RESULTS:
            raise failed_ending(answer.finish_reason, name="reasoner")
        stage.usage = answer.usage
    return answer


async def _response(
    reasoner: Reasoner, asked: _Asked, answer: _Answer, watch: Stopwatch
) -> SolveResponse:
    thought_aloud, text = split_reasoning(answer.text)
    stages = watch.stages
    return SolveResponse(
        id=f"solve-{secrets.token_hex(16)}",
        answer=solve_answer(reasoner.settings.prompt_profile, text),
        text=text,
        reasoning=answer.reasoning or thought_aloud,
        visual_context=asked.context,
        model=reasoner.name,
        reasoner=ReasonerName(model=reasoner.settings.model, revision=await reasoner.revision()),
        finish_reason=answer.finish_reason,
        usage=SolveUsage(captioner=asked.usage, reasoner=answer.usage),
        timing_ms=Timing(
            perceive=_milliseconds(stages.get("load", 0) + stages.get("perceive", 0)),
            first_token=_milliseconds(stages.get("first_token", stages["reason"])),
            reason=_milliseconds(stages["reason"]),
            total=_milliseconds(stages["total"]),
        ),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)

"""The story of a solve: look at the images, tell the reasoner what was seen, give its answer."""

import secrets
from contextlib import aclosing
from typing import Protocol

from gateway import metrics
from gateway.images.loader import ImageSource
from gateway.perception.perceive import Look, Perception
from gateway.reasoning.budget import visual_budget
from gateway.reasoning.reasoners import Reasoner
from gateway.services import Parts
from gateway.tenancy.tenants import Tenant
from racro.answers.extract import solve_answer, split_reasoning
from racro.contracts.perception import Delta, Usage, normalise_question
from racro.contracts.prompts import solve_messages
from racro.contracts.solve import (
    ReasonerName,
    SolveOptions,
    SolveResponse,
    SolveUsage,
    Timing,
    VisualContext,
)
from racro.servekit.tracing import generation, record_usage


class Audience(Protocol):
    """Who hears a solve while it happens: a stream, or nobody."""

    async def caption_piece(self, delta: Delta) -> None: ...

    async def seen(self, context: VisualContext) -> None: ...

    async def thought(self, text: str) -> None: ...

    async def said(self, text: str) -> None: ...


async def solve(
    parts: Parts,
    tenant: Tenant,
    options: SolveOptions,
    sources: list[ImageSource],
    audience: Audience,
) -> SolveResponse:
    """Empties `sources`: megabytes that nobody needs while the reasoner thinks."""
    watch = metrics.Stopwatch()
    reasoner = parts.reasoners.named(options.model, tenant)
    if options.visual_context is None:
        seen = await _look(parts, tenant, options, sources, audience, watch)
    else:
        seen = await _recall(parts, tenant, options, options.visual_context, watch)
    await audience.seen(seen.context)
    answer = await _reason(reasoner, options.question, seen.context, audience, watch)
    watch.record("total", watch.total())
    return await _response(reasoner, seen, answer, watch)


async def _look(
    parts: Parts,
    tenant: Tenant,
    options: SolveOptions,
    sources: list[ImageSource],
    audience: Audience,
    watch: metrics.Stopwatch,
) -> Perception:
    with watch.stage("load"):
        images = await parts.loader.load(sources)
        sources.clear()
    with watch.stage("perceive"):
        look = Look(
            tenant=tenant.tag,
            images=images,
            question=options.question,
            tentative=options.tentative,
            cache=options.cache,
        )
        return await parts.perceiver.perceive(look, audience.caption_piece)


async def _recall(
    parts: Parts,
    tenant: Tenant,
    options: SolveOptions,
    identifier: str,
    watch: metrics.Stopwatch,
) -> Perception:
    """What was perceived before."""
    with watch.stage("perceive"):
        question = normalise_question(options.question)
        context = await parts.kept.find(tenant, identifier, question=question)
    if not options.tentative:
        context = context.model_copy(update={"tentative": None})
    return Perception(context, Usage())


class _Answer:
    """The reasoner's stream, gathered."""

    def __init__(self) -> None:
        self.text = ""
        self.reasoning = ""
        self.finish_reason: str | None = None
        self.usage = Usage()


async def _reason(
    reasoner: Reasoner,
    question: str,
    context: VisualContext,
    audience: Audience,
    watch: metrics.Stopwatch,
) -> _Answer:
    messages = solve_messages(
        reasoner.settings.prompt_profile, question, context.caption, context.tentative
    )
    answer = _Answer()
    started = watch.total()
    with (
        visual_budget(reasoner, [context]),
        watch.stage("reason"),
        generation(reasoner.settings.model) as span,
    ):
        async with aclosing(reasoner.stream(messages)) as chunks:
            async for chunk in chunks:
                choice = chunk.first
                thought, said = choice.thought, choice.content
                if "first_token" not in watch.stages and (said or thought):
                    watch.record("first_token", watch.total() - started)
                if thought:
                    answer.reasoning += thought
                    await audience.thought(thought)
                if said:
                    answer.text += said
                    await audience.said(said)
                answer.finish_reason = choice.finish_reason or answer.finish_reason
                answer.usage = chunk.tokens or answer.usage
        record_usage(span, answer.usage)
    metrics.count_tokens("reasoner", answer.usage)
    return answer


async def _response(
    reasoner: Reasoner, seen: Perception, answer: _Answer, watch: metrics.Stopwatch
) -> SolveResponse:
    thought_aloud, text = split_reasoning(answer.text)
    stages = watch.stages
    return SolveResponse(
        id=f"solve-{secrets.token_hex(16)}",
        answer=solve_answer(reasoner.settings.prompt_profile, text),
        text=text,
        reasoning=answer.reasoning or thought_aloud,
        visual_context=seen.context,
        model=reasoner.name,
        reasoner=ReasonerName(model=reasoner.settings.model, revision=await reasoner.revision()),
        finish_reason=answer.finish_reason,
        usage=SolveUsage(captioner=seen.usage, reasoner=answer.usage),
        timing_ms=Timing(
            perceive=_milliseconds(stages.get("load", 0) + stages["perceive"]),
            first_token=_milliseconds(stages.get("first_token", stages["reason"])),
            reason=_milliseconds(stages["reason"]),
            total=_milliseconds(stages["total"]),
        ),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)

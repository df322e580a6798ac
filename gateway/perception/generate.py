"""Generating parts of a visual context: one call of the captioner, whose answer is stored."""

import asyncio
from collections.abc import Iterable, Sequence
from time import perf_counter

from gateway import metrics
from gateway.cache.entry import Entry
from gateway.perception.captioner import CaptionerClient
from gateway.perception.part_cache import PartCache
from gateway.perception.request import PerceptionRequest
from gateway.perception.result import PartsResult
from gateway.tenancy.fair_queue import FairQueue
from gateway.tenancy.rates import Rates
from racro.contracts.perception import (
    OnDelta,
    Part,
    PerceiveOptions,
    PerceiveRequest,
    PerceiveResponse,
    Usage,
)


class PartGenerator:
    """Has the captioner generate parts, within `timeout_s` seconds, and stores them.

    Each call takes its images from the rate of its tenant and waits for its turn in `queue`.
    `timeout_s` is the longest deadline that a request may have: each leaves at its own.
    """

    def __init__(
        self,
        captioner: CaptionerClient,
        cache: PartCache,
        options: PerceiveOptions,
        queue: FairQueue,
        rates: Rates,
        *,
        timeout_s: float,
    ) -> None:
        self._captioner = captioner
        self._cache = cache
        self._options = options
        self._queue = queue
        self._rates = rates
        self._timeout_s = timeout_s

    async def generate(
        self, request: PerceptionRequest, parts: Sequence[Part], on_delta: OnDelta
    ) -> PartsResult:
        """Generate all `parts` in one call; they are stored before this returns.

        Raises QueueFull, RateLimited, and what CaptionerClient.perceive raises.
        """
        with self._queue.ticket(request.tenant) as ticket:
            # Before its images are counted: a request that is refused costs nothing.
            ticket.expect()
            await self._rates.take(request.tenant, "images", len({*request.image_digests}))
            await ticket.enter()
            identity = await self._captioner.identity()
            options = self._options.accepted_by(identity)
            # Encoding images as base64 takes long enough to hold up the event loop.
            body = await asyncio.to_thread(_perceive_request, request, parts, options)
            started = perf_counter()
            with metrics.Stopwatch().stage("captioner"):
                response = await self._captioner.perceive(body, on_delta, timeout_s=self._timeout_s)
            seconds = (perf_counter() - started) / len(parts)
        usage = _usage_of(response)
        metrics.count_tokens("captioner", usage)
        if identity.fingerprint != response.fingerprint:
            self._captioner.forget_identity()
        entries = dict(_entries(request, parts, response, seconds))
        if request.cache != "bypass":
            await self._cache.set(request, entries, response.fingerprint, options)
        return PartsResult(entries, "miss", response.failed, usage)


def _perceive_request(
    request: PerceptionRequest, parts: Sequence[Part], options: PerceiveOptions
) -> PerceiveRequest:
    return PerceiveRequest(
        question=request.normalised_question,
        images=tuple(image.data_url() for image in request.images),
        parts=tuple(parts),
        options=options,
    )


def _usage_of(response: PerceiveResponse) -> Usage:
    generations = (*response.caption, *response.tentative)
    return sum((generation.usage for generation in generations), Usage())


def _entries(
    request: PerceptionRequest, parts: Sequence[Part], response: PerceiveResponse, seconds: float
) -> Iterable[tuple[Part, Entry]]:
    """Yield each part with its entry; a part that failed has none."""
    for part in parts:
        for generation in response.generations(part)[:1]:
            entry = Entry(
                text=generation.text,
                finish_reason=generation.finish_reason,
                prompt_tokens=generation.usage.prompt_tokens,
                completion_tokens=generation.usage.completion_tokens,
                model=response.model,
                revision=response.revision,
                prompt_profile=response.prompt_profile,
                seconds=seconds,
                tenant=request.tenant.tag,
                images=request.image_digests,
            )
            yield part, entry

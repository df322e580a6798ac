"""Generating parts of a visual context: one call of the captioner, whose answer is stored."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from time import perf_counter

from gateway import metrics
from gateway.cache.entry import Entry
from gateway.perception.call_options import CallOptions
from gateway.perception.captioners import Captioners
from gateway.perception.missing import OF_IMAGES
from gateway.perception.part_cache import PartCache
from gateway.perception.request import PerceptionRequest
from gateway.perception.result import PartsResult
from gateway.tenancy.fair_queue import FairQueue
from gateway.tenancy.rates import Rates
from racro.contracts.completion import RESULTS, failed_ending
from racro.contracts.errors import ContextLengthExceeded
from racro.contracts.perception import (
    Identity,
    OnDelta,
    Part,
    PartFailure,
    PerceiveOptions,
    PerceiveRequest,
    PerceiveResponse,
    Usage,
)
from racro.servekit.context import TimeLimit, within
from racro.servekit.relay import error_from_event
from racro.servekit.responses import encode

# What its client can mend of a captioner's errors. Others of 4xx tell of a captioner that does not
# fit this gateway, or that refuses it.
_NO_FAILURES = (*OF_IMAGES, ContextLengthExceeded)


class PartGenerator:
    """Has the captioner generate parts, within the time `limit`, and stores them.

    Each call takes its images from the rate of its tenant and waits for its turn in `queue`. How
    many pages a PDF has is known afterwards: there must be room for the most that it may have.
    `limit` is the longest time that a request may have: each leaves at its own deadline, but a call
    that hangs would go on for as long as others join it.
    """

    def __init__(
        self,
        captioners: Captioners,
        cache: PartCache,
        options: CallOptions,
        queue: FairQueue,
        rates: Rates,
        *,
        limit: TimeLimit,
    ) -> None:
        self._captioners = captioners
        self._cache = cache
        self._options = options
        self._queue = queue
        self._rates = rates
        self._limit = limit

    async def generate(
        self, request: PerceptionRequest, parts: Sequence[Part], on_delta: OnDelta
    ) -> PartsResult:
        """Generate all `parts` in one call; they are stored before this returns.

        Raises QueueFull, RateLimited, DeadlineExceeded, and what Captioners.perceive raises.
        """
        with within(self._limit), self._queue.ticket(request.tenant) as ticket:
            # What is refused, or leaves while it waits, is not counted.
            ticket.expect()
            most = request.most_counted(self._options.max_pages)
            await self._rates.check(request.tenant, "images", most)
            await ticket.enter()
            await self._rates.take(request.tenant, "images", request.distinct_images)
            request_to = partial(self._request_to, request, parts)
            started = perf_counter()
            with metrics.Stopwatch().stage("captioner", no_failures=_NO_FAILURES):
                identity, response = await self._captioners.perceive(
                    request.image_digests[0], request_to, on_delta
                )
            seconds = (perf_counter() - started) / len(parts)
        await self._count_pages(request, response.pages)
        usage = _usage_of(response)
        metrics.count_tokens("captioner", usage, tenant=request.tenant.label)
        entries = dict(_entries(request, parts, response, seconds))
        if request.cache != "bypass":
            options = self._options.of(request, identity)
            await self._cache.set(request, entries, response.fingerprint, options)
        return PartsResult(entries, "miss", _failed(parts, response), usage)

    async def _request_to(
        self, request: PerceptionRequest, parts: Sequence[Part], identity: Identity
    ) -> PerceiveRequest:
        """Return what a captioner of that identity is asked.

        Encoding images as base64 takes long enough to hold up the event loop.
        """
        options = self._options.of(request, identity)
        return await asyncio.to_thread(_perceive_request, request, parts, options)

    async def _count_pages(self, request: PerceptionRequest, pages: int) -> None:
        """Count the pages of PDFs that were shown, even if everybody leaves meanwhile."""
        further = request.further_counted(pages, self._options.max_pages)
        metrics.count_pages(request.distinct_pdfs + further, tenant=request.tenant.label)
        await self._rates.count(request.tenant, "images", further)


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


def _failed(parts: Sequence[Part], response: PerceiveResponse) -> dict[Part, PartFailure]:
    """Return why parts are missing: as the captioner says, or because their texts are not whole."""
    failed = {part: _passed_on(failure) for part, failure in response.failed.items()}
    for part in parts:
        for generation in response.generations(part)[:1]:
            if generation.finish_reason not in RESULTS:
                error = failed_ending(generation.finish_reason, name="captioner")
                failed[part] = PartFailure(code=error.code, message=error.message)
    return failed


def _passed_on(failure: PartFailure) -> PartFailure:
    """Return a failure as our clients may see it: captioners may be others' too."""
    error = error_from_event(encode({"error": failure.model_dump()}), name="captioner")
    return PartFailure(code=error.code, message=error.message)


def _entries(
    request: PerceptionRequest, parts: Sequence[Part], response: PerceiveResponse, seconds: float
) -> Iterable[tuple[Part, Entry]]:
    """Yield each part with its entry; a part that failed has none."""
    for part in parts:
        for generation in response.generations(part)[:1]:
            if generation.finish_reason not in RESULTS:
                continue
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

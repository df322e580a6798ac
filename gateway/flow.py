"""The step that every dialect shares: from the images of a request to perceptions."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from gateway.images.loader import Image, ImageLoader, ImageSource
from gateway.metrics import Stopwatch
from gateway.perception.perceiver import Perceiver
from gateway.perception.request import Perception, PerceptionRequest
from gateway.services import Services
from gateway.tenancy.fair_queue import Ticket
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import QueueFull, RateLimited
from racro.contracts.perception import OnDelta, ignore_delta
from racro.contracts.solve_api import CacheMode
from racro.servekit.tasks import all_of


class ImageQuestion(NamedTuple):
    """Images as a client gave them, and the question to perceive them for (None: no question)."""

    sources: Sequence[ImageSource]
    question: str | None


async def perceive_images(
    services: Services,
    tenant: Tenant,
    questions: list[ImageQuestion],
    *,
    tentative: bool,
    cache: CacheMode,
    watch: Stopwatch,
    on_delta: OnDelta = ignore_delta,
    ticket: Ticket | None = None,
) -> list[Perception]:
    """Load the images of all questions, then perceive them for all questions at the same time.

    A request that goes on to a reasoner is expected there by its `ticket`, once it is loaded.
    Returns one perception for each question, in their order. `watch` times the stages "load" and
    "perceive"; `on_delta` gets the texts while they are generated. Empties `questions` once their
    images are loaded: the sources are megabytes that are not needed any more.

    Raises InvalidRequest for more images than the tenant may ever have captioned at once,
    QueueFull, RateLimited, and what ImageLoader.load and Perceiver.perceive raise.
    """
    if not questions:
        return []
    with watch.stage("load"):
        images = await _load(services.loader, questions)
    requests = [
        PerceptionRequest(
            tenant=tenant,
            images=images_of_one,
            question=question.question,
            tentative=tentative,
            cache=cache,
        )
        for question, images_of_one in zip(questions, images, strict=True)
    ]
    questions.clear()
    for request in requests:
        services.rates.check_possible(tenant, "images", len({*request.image_digests}))
    if ticket is not None:
        ticket.expect()
    with watch.stage("perceive"):
        return await _perceive_all(services.perceiver, requests, on_delta)


async def _perceive_all(
    perceiver: Perceiver, requests: Sequence[PerceptionRequest], on_delta: OnDelta
) -> list[Perception]:
    """Perceive at the same time what there is room for, and the rest after it.

    Raises QueueFull or RateLimited where there is no room for any of those that are left. What was
    perceived by then is paid for, and in the cache when the client asks again.
    """
    perceptions: dict[int, Perception] = {}
    while len(perceptions) < len(requests):
        left = [number for number in range(len(requests)) if number not in perceptions]
        outcomes = await all_of(
            _perceive_or_refuse(perceiver, requests[number], on_delta) for number in left
        )
        refusals = [outcome for outcome in outcomes if not isinstance(outcome, Perception)]
        if len(refusals) == len(left):
            raise refusals[0]
        perceptions |= {
            number: outcome
            for number, outcome in zip(left, outcomes, strict=True)
            if isinstance(outcome, Perception)
        }
    return [perceptions[number] for number in range(len(requests))]


async def _perceive_or_refuse(
    perceiver: Perceiver, request: PerceptionRequest, on_delta: OnDelta
) -> Perception | QueueFull | RateLimited:
    try:
        return await perceiver.perceive(request, on_delta)
    except (QueueFull, RateLimited) as refusal:
        return refusal


async def _load(loader: ImageLoader, questions: Sequence[ImageQuestion]) -> list[list[Image]]:
    sources = [source for question in questions for source in question.sources]
    images = iter(await loader.load(sources))
    loaded = [list(islice(images, len(question.sources))) for question in questions]
    for images_of_one in loaded:
        loader.check_together(images_of_one)
    return loaded

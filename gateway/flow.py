"""The step that every dialect shares: from the images of a request to perceptions."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from gateway.images.loader import Image, ImageLoader, ImageSource
from gateway.metrics import Stopwatch
from gateway.perception.request import Perception, PerceptionRequest
from gateway.services import Services
from gateway.tenancy.fair_queue import NoRoom, ShareTaken, Ticket
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import QueueFull, RateLimited
from racro.contracts.perception import CaptionProfile, OnDelta, ignore_delta
from racro.contracts.solve_api import CacheMode
from racro.servekit.tasks import all_of

T = TypeVar("T")


class ImageQuestion(NamedTuple):
    """Images as a client gave them, and the question to perceive them for (None: no question).

    `is_earlier`: a chat showed them before the turn that is to be answered.
    """

    sources: Sequence[ImageSource]
    question: str | None
    is_earlier: bool = False


async def perceive_images(
    services: Services,
    tenant: Tenant,
    questions: list[ImageQuestion],
    *,
    tentative: bool,
    cache: CacheMode,
    profile: CaptionProfile,
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
        images = await _load(services.loader, questions, tenant)
    requests = [
        PerceptionRequest(
            tenant=tenant,
            images=images_of_one,
            question=question.question,
            tentative=tentative,
            cache=cache,
            caption_profile=profile,
        )
        for question, images_of_one in zip(questions, images, strict=True)
    ]
    questions.clear()
    expect(services, tenant, ticket, (request.distinct_images for request in requests))
    perceive = services.perceiver.perceive
    with watch.stage("perceive"):
        return await in_rounds([partial(perceive, request, on_delta) for request in requests])


def expect(
    services: Services, tenant: Tenant, ticket: Ticket | None, counts: Iterable[int]
) -> None:
    """Have a request expected by its reasoner, before any of its images is captioned.

    `counts` are the numbers of images that are captioned together. Raises InvalidRequest for more
    than the tenant may ever have captioned at once, NoRoom and ShareTaken.
    """
    for images in counts:
        services.rates.check_possible(tenant, "images", images)
    if ticket is not None:
        ticket.expect()


async def in_rounds(work: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Do at the same time what there is room for, and the rest after it; return all results.

    Raises QueueFull and RateLimited when the others are done: what was captioned by then is paid
    for, and in the cache when the client asks again. Those of our own queues are raised where there
    is no room for any of those that are left. Raises other errors as they come.
    """
    results: dict[int, T] = {}
    while len(results) < len(work):
        left = [number for number in range(len(work)) if number not in results]
        outcomes = await all_of(_done_or_refused(work[number]) for number in left)
        done = {
            number: outcome.result
            for number, outcome in zip(left, outcomes, strict=True)
            if isinstance(outcome, _Done)
        }
        refusals = [outcome for outcome in outcomes if not isinstance(outcome, _Done)]
        # Whatever else has no room is not asked again: it says when it may be.
        for_good = [refusal for refusal in refusals if not isinstance(refusal, NoRoom | ShareTaken)]
        if for_good or not done:
            raise (for_good or refusals)[0]
        results |= done
    return [results[number] for number in range(len(work))]


@dataclass(frozen=True)
class _Done(Generic[T]):
    result: T


async def _done_or_refused(work: Callable[[], Awaitable[T]]) -> _Done[T] | QueueFull | RateLimited:
    try:
        return _Done(await work())
    except (QueueFull, RateLimited) as refusal:
        return refusal


def check_counts(loader: ImageLoader, questions: Sequence[ImageQuestion]) -> None:
    """Raise InvalidRequest where too many images are to be captioned together, copies included."""
    for question in questions:
        loader.check_count(question.sources)


async def _load(
    loader: ImageLoader, questions: Sequence[ImageQuestion], tenant: Tenant
) -> list[list[Image]]:
    check_counts(loader, questions)
    sources = [source for question in questions for source in question.sources]
    images = iter(await loader.load(sources, tenant=tenant))
    loaded = [list(islice(images, len(question.sources))) for question in questions]
    for images_of_one in loaded:
        loader.check_together(images_of_one)
    return loaded

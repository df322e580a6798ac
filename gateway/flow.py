"""The step that every dialect shares: from the images of a request to perceptions."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from gateway.images.loader import Image, ImageLoader, ImageSource
from gateway.metrics import Stopwatch
from gateway.perception.request import Perception, PerceptionRequest
from gateway.services import Services
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
) -> list[Perception]:
    """Load the images of all questions, then perceive them for all questions at the same time.

    Returns one perception for each question, in their order. `watch` times the stages "load" and
    "perceive"; `on_delta` gets the texts while they are generated. Empties `questions` once their
    images are loaded: the sources are megabytes that are not needed any more.

    Raises what ImageLoader.load and Perceiver.perceive raise.
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
    with watch.stage("perceive"):
        return await all_of(
            (services.perceiver.perceive(request, on_delta) for request in requests),
            # What was begun is paid for, and in the cache when the client asks again.
            but_go_on_after=(QueueFull, RateLimited),
        )


async def _load(loader: ImageLoader, questions: Sequence[ImageQuestion]) -> list[list[Image]]:
    sources = [source for question in questions for source in question.sources]
    images = iter(await loader.load(sources))
    loaded = [list(islice(images, len(question.sources))) for question in questions]
    for images_of_one in loaded:
        loader.check_together(images_of_one)
    return loaded

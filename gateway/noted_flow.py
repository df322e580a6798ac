"""From the images of a chat to perceptions, where one that cannot be had does not end the chat."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import islice

from gateway.flow import ImageQuestion, check_counts, expect, in_rounds
from gateway.images.loader import Image, ImageLoader
from gateway.metrics import Stopwatch
from gateway.perception.missing import MissingPerception, missing_perception
from gateway.perception.perceiver import Perceiver
from gateway.perception.request import Perception, PerceptionRequest
from gateway.services import Services
from gateway.tenancy.fair_queue import Ticket
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import RacroError
from racro.contracts.solve_api import CacheMode
from racro.servekit.context import TimeLimit, time_left_s, within


async def perceive_or_note(
    services: Services,
    tenant: Tenant,
    questions: list[ImageQuestion],
    *,
    tentative: bool,
    cache: CacheMode,
    watch: Stopwatch,
    ticket: Ticket,
) -> list[Perception | MissingPerception]:
    """Do as `perceive_images`, with the reason in place of each perception that cannot be had.

    Takes at most half of the request's time: the rest is the reasoner's. Raises InvalidRequest for
    too many images, QueueFull, RateLimited, and what `missing_perception` raises.
    """
    if not questions:
        return []
    limit = TimeLimit(time_left_s() / 2, "half of the request's time")
    new_request = partial(PerceptionRequest, tenant=tenant, tentative=tentative, cache=cache)
    with watch.stage("load"):
        loaded = await _load(services.loader, questions, limit)
    requests = [
        images
        if isinstance(images, RacroError)
        else new_request(images=images, question=question.question)
        for question, images in zip(questions, loaded, strict=True)
    ]
    questions.clear()
    counts = (one.distinct_images for one in requests if isinstance(one, PerceptionRequest))
    expect(services, tenant, ticket, counts)
    due = asyncio.get_running_loop().time() + limit.seconds - watch.stages["load"]
    with watch.stage("perceive"):
        return await in_rounds(
            [partial(_perceive, services.perceiver, request, limit, due) for request in requests]
        )


async def _perceive(
    perceiver: Perceiver, request: PerceptionRequest | RacroError, limit: TimeLimit, due: float
) -> Perception | MissingPerception:
    """Perceive until the event loop's time is `due`, the end of the limit."""
    if isinstance(request, RacroError):
        return missing_perception(request, of_loading=True)
    left_s = max(0, due - asyncio.get_running_loop().time())
    try:
        with within(limit._replace(seconds=left_s)):
            return await perceiver.perceive(request)
    except RacroError as error:
        return missing_perception(error)


async def _load(
    loader: ImageLoader, questions: Sequence[ImageQuestion], limit: TimeLimit
) -> list[Sequence[Image] | RacroError]:
    """Return the images of each question, or the first error among them."""
    check_counts(loader, questions)
    sources = [source for question in questions for source in question.sources]
    outcomes = iter(await loader.load_each(sources, limit))
    return [
        _together(loader, list(islice(outcomes, len(question.sources)))) for question in questions
    ]


def _together(
    loader: ImageLoader, outcomes: Sequence[Image | RacroError]
) -> Sequence[Image] | RacroError:
    images = [outcome for outcome in outcomes if isinstance(outcome, Image)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, RacroError)]
    if errors:
        return errors[0]
    try:
        loader.check_together(images)
    except RacroError as error:
        return error
    return images

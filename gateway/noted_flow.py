"""From the images of a chat to perceptions, where one that cannot be had does not end the chat."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from gateway.flow import ImageQuestion, check_counts, expect, in_rounds
from gateway.images.loader import Image, ImageLoader
from gateway.metrics import Stopwatch
from gateway.perception.missing import OF_IMAGES, MissingPerception, missing_perception
from gateway.perception.perceiver import Perceiver
from gateway.perception.request import Perception, PerceptionRequest
from gateway.services import Services
from gateway.tenancy.fair_queue import Ticket
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import InvalidRequest, RacroError
from racro.contracts.solve_api import CacheMode
from racro.servekit.context import TimeLimit, time_left_s, within


async def perceive_or_note(
    services: Services,
    tenant: Tenant,
    questions: list[ImageQuestion],
    *,
    notes_all: bool,
    tentative: bool,
    cache: CacheMode,
    watch: Stopwatch,
    ticket: Ticket,
) -> list[Perception | MissingPerception]:
    """Do as `perceive_images`, with the reason in place of a perception that cannot be had.

    Where `notes_all` that is any, and at most half of the request's time is taken: the rest is the
    reasoner's. Else it is one of earlier images that are at fault themselves, or cannot be
    loaded: they have been refused before, or have gone since, and stay in the history. Raises
    InvalidRequest for too many images, QueueFull, RateLimited, what `missing_perception` raises,
    and of the rest the first error.
    """
    if not questions:
        return []
    limit = _limit(notes_all=notes_all)
    new_request = partial(PerceptionRequest, tenant=tenant, tentative=tentative, cache=cache)
    with watch.stage("load"):
        loaded = await _load(services.loader, questions, limit)
    notes = [_Notes(notes_all=notes_all, is_earlier=one.is_earlier) for one in questions]
    requests = [
        note.missing(images, of_loading=True)
        if isinstance(images, RacroError)
        else note.possible(services, new_request(images=images, question=one.question))
        for one, images, note in zip(questions, loaded, notes, strict=True)
    ]
    questions.clear()
    counts = (one.distinct_images for one in requests if isinstance(one, PerceptionRequest))
    expect(services, tenant, ticket, counts)
    due = asyncio.get_running_loop().time() + limit.seconds - watch.stages["load"]
    perceive = partial(_perceive, services.perceiver, limit=limit, due=due)
    work = [partial(perceive, *pair) for pair in zip(requests, notes, strict=True)]
    with watch.stage("perceive"):
        return await in_rounds(work)


def _limit(*, notes_all: bool) -> TimeLimit:
    if notes_all:
        return TimeLimit(time_left_s() / 2, "half of the request's time")
    return TimeLimit(time_left_s(), "the request's time")


class _Notes(NamedTuple):
    """Says which errors of some images are noted, in place of being raised."""

    notes_all: bool
    is_earlier: bool

    def missing(self, error: RacroError, *, of_loading: bool = False) -> MissingPerception:
        """Return what stands for the perception. Raises the error where it is not noted."""
        is_of_images = of_loading or isinstance(error, OF_IMAGES)
        if self.notes_all or (self.is_earlier and is_of_images):
            return missing_perception(error, of_loading=of_loading)
        raise error

    def possible(
        self, services: Services, request: PerceptionRequest
    ) -> PerceptionRequest | MissingPerception:
        """Return a request, or what stands for earlier images of which its tenant may not have so
        many captioned at once.
        """
        if self.is_earlier:
            try:
                services.rates.check_possible(request.tenant, "images", request.distinct_images)
            except InvalidRequest as error:
                return missing_perception(error)
        return request


async def _perceive(
    perceiver: Perceiver,
    request: PerceptionRequest | MissingPerception,
    notes: _Notes,
    *,
    limit: TimeLimit,
    due: float,
) -> Perception | MissingPerception:
    """Perceive until the event loop's time is `due`, the end of the limit."""
    if isinstance(request, MissingPerception):
        return request
    left_s = max(0, due - asyncio.get_running_loop().time())
    try:
        with within(limit._replace(seconds=left_s)):
            return await perceiver.perceive(request)
    except RacroError as error:
        return notes.missing(error)


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

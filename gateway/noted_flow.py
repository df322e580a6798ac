"""From the images of a chat to perceptions, where one that cannot be had does not end the chat."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from gateway.flow import ImageQuestion, check_counts, expect, in_rounds
from gateway.images.loader import Image, ImageLoader
from gateway.metrics import Stopwatch
from gateway.perception.missing import (
    OF_IMAGES,
    MissingPerception,
    NotedPerception,
    missing_perception,
)
from gateway.perception.perceiver import Perceiver
from gateway.perception.request import Perception, PerceptionRequest
from gateway.services import Services
from gateway.tenancy.fair_queue import Ticket
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import InvalidRequest, RacroError
from racro.contracts.perception import CaptionProfile
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
    profile: CaptionProfile,
    watch: Stopwatch,
    ticket: Ticket,
) -> list[Perception | NotedPerception]:
    """Do as `perceive_images`, with the reasons in place of images that cannot be captioned.

    The others of their question are captioned without them. Where `notes_all` those are any, and
    at most half of the request's time is taken: the rest is the reasoner's. Else they are images
    that may be left out and are at fault themselves, and earlier ones that are, or cannot be
    loaded: they have been refused before, or have gone since, and stay in the history. Raises
    InvalidRequest for too many images, QueueFull, RateLimited, what `missing_perception` raises,
    and of the rest the first error.
    """
    if not questions:
        return []
    limit = _limit(notes_all=notes_all)
    new_request = partial(
        PerceptionRequest,
        tenant=tenant,
        tentative=tentative,
        cache=cache,
        caption_profile=profile,
    )
    with watch.stage("load"):
        outcomes = await _load(services.loader, questions, limit, tenant)
    pending = [
        _possible(services, _loaded(services.loader, one, of_one, new_request, notes_all=notes_all))
        for one, of_one in zip(questions, outcomes, strict=True)
    ]
    questions.clear()
    expect(services, tenant, ticket, (one.request.distinct_images for one in pending if one.images))
    due = asyncio.get_running_loop().time() + limit.seconds - watch.stages["load"]
    perceive = partial(_perceive, services.perceiver, limit=limit, due=due)
    with watch.stage("perceive"):
        return await in_rounds([partial(perceive, one) for one in pending])


def _limit(*, notes_all: bool) -> TimeLimit:
    if notes_all:
        return TimeLimit(time_left_s() / 2, "half of the request's time")
    return TimeLimit(time_left_s(), "the request's time")


@dataclass(frozen=True, kw_only=True)
class _Pending:
    """A question about those `images` of it that may be captioned, and why others cannot be.

    All are known by their positions among the question's images.
    """

    new_request: Callable[..., PerceptionRequest]
    images: Mapping[int, Image]
    may_be_left_out: frozenset[int]
    notes_all: bool
    is_earlier: bool
    missing: Mapping[int, MissingPerception]

    @property
    def request(self) -> PerceptionRequest:
        return self.new_request(images=list(self.images.values()))

    def without(
        self, positions: Sequence[int], error: RacroError, *, of_loading: bool = False
    ) -> "_Pending":
        """Return it without some of the images, which an error was raised for.

        Raises the error where it is not noted.
        """
        is_of_images = isinstance(error, OF_IMAGES)
        is_noted = (
            self.notes_all
            or (self.is_earlier and (of_loading or is_of_images))
            or (is_of_images and self.may_be_left_out.issuperset(positions))
        )
        if not is_noted:
            raise error
        reasons = dict.fromkeys(positions, missing_perception(error, of_loading=of_loading))
        images = {at: image for at, image in self.images.items() if at not in reasons}
        return replace(self, images=images, missing={**self.missing, **reasons})

    def at_fault(self, error: RacroError) -> list[int]:
        """Return which images an error is about: all of them, where it names none."""
        positions = list(self.images)
        if error.image_index is None or not isinstance(error, OF_IMAGES):
            return positions
        return [positions[error.image_index]]


async def _load(
    loader: ImageLoader, questions: Sequence[ImageQuestion], limit: TimeLimit, tenant: Tenant
) -> list[list[Image | RacroError]]:
    """Return for each question its images, or their errors."""
    check_counts(loader, questions)
    sources = [source for question in questions for source in question.sources]
    outcomes = iter(await loader.load_each(sources, limit, tenant=tenant))
    return [list(islice(outcomes, len(question.sources))) for question in questions]


def _loaded(
    loader: ImageLoader,
    question: ImageQuestion,
    outcomes: Sequence[Image | RacroError],
    new_request: Callable[..., PerceptionRequest],
    *,
    notes_all: bool,
) -> _Pending:
    """Return a question about those of its images that could be loaded."""
    pending = _Pending(
        new_request=partial(new_request, question=question.question),
        images={at: one for at, one in enumerate(outcomes) if isinstance(one, Image)},
        may_be_left_out=frozenset(
            at for at, source in enumerate(question.sources) if source.may_be_left_out
        ),
        notes_all=notes_all,
        is_earlier=question.is_earlier,
        missing={},
    )
    for at, outcome in enumerate(outcomes):
        if isinstance(outcome, RacroError):
            pending = pending.without([at], outcome, of_loading=True)
    if not pending.images:
        return pending
    try:
        loader.check_together(list(pending.images.values()))
    except RacroError as error:
        return pending.without(list(pending.images), error, of_loading=True)
    return pending


def _possible(services: Services, pending: _Pending) -> _Pending:
    """Return a question without images, where they are earlier ones of which its tenant may not
    have so many captioned at once.
    """
    if pending.is_earlier and pending.images:
        request = pending.request
        try:
            services.rates.check_possible(request.tenant, "images", request.distinct_images)
        except InvalidRequest as error:
            reasons = dict.fromkeys(pending.images, missing_perception(error))
            return replace(pending, images={}, missing={**pending.missing, **reasons})
    return pending


async def _perceive(
    perceiver: Perceiver, pending: _Pending, *, limit: TimeLimit, due: float
) -> Perception | NotedPerception:
    """Perceive until the event loop's time is `due`, the end of the limit."""
    perception: Perception | None = None
    # Each error leaves fewer images.
    while pending.images and perception is None:
        left_s = max(0, due - asyncio.get_running_loop().time())
        try:
            with within(limit._replace(seconds=left_s)):
                perception = await perceiver.perceive(pending.request)
        except RacroError as error:
            pending = pending.without(pending.at_fault(error), error)
    if perception is not None and not pending.missing:
        return perception
    return NotedPerception(perception, pending.missing)

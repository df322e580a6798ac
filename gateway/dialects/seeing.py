"""What a reasoner that sees is sent: the request as it came, its images checked before.

Images that were addresses are fetched here, as the captioner's are, and sent as data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation, decode_list
from gateway.dialects.passed_images import Place, Substitute, pass_images
from gateway.images.loader import Image, ImageLoader, ImageSource, is_address
from gateway.perception.missing import OF_IMAGES, missing_perception
from gateway.settings import LimitsSection, ReasonerSection
from gateway.tenancy.tenants import Tenant
from racro.contracts.errors import InvalidRequest, RacroError
from racro.contracts.prompts import missing_image
from racro.servekit.context import TimeLimit, time_left_s
from racro.servekit.json_bounds import TooManyError, items_of


@dataclass(frozen=True)
class ShownImages:
    """The images of one message. `is_earlier`: of before the turn that is to be answered."""

    index: int
    sources: Sequence[ImageSource]
    is_earlier: bool


@dataclass(frozen=True)
class PassedImages:
    """What comes in the place of all images, by the index of their message, in their order."""

    by_message: Mapping[int, Sequence[Substitute]]

    @property
    def has_fetched(self) -> bool:
        """Whether there are images that were fetched, which may be large."""
        substitutes = (one for listed in self.by_message.values() for one in listed)
        return any(isinstance(one, Image) for one in substitutes)


def find_shown(
    conversation: ChatConversation, limits: LimitsSection, *, earlier: frozenset[int]
) -> list[ShownImages]:
    """Return the images of all messages; those whose indices are in `earlier` are earlier ones.

    Raises InvalidRequest for more messages than the limits allow, images or none: what is not gone
    through would pass unchecked. Raises NotJson.
    """
    messages = conversation.messages
    if not messages.startswith(b"["):
        return []  # Of no known shape: the server's to refuse.
    try:
        listed = items_of(messages, limits.max_messages)
    except TooManyError as error:
        param = conversation.field
        raise InvalidRequest(
            f"{param}: more than max_messages = {limits.max_messages}", param=param
        ) from error
    found = []
    for index, message in enumerate(listed):
        sources: list[ImageSource] = []
        # None is returned for each: nothing is written.
        _passed(conversation, message, index, sources.append, limits)
        if sources:
            found.append(ShownImages(index, sources, index in earlier))
    return found


def _passed(
    conversation: ChatConversation, message: Raw, index: int, place: Place, limits: LimitsSection
) -> Raw:
    return pass_images(
        message,
        place,
        param=partial(conversation.param, index),
        text_type=conversation.text_type,
        most_parts=limits.max_parts,
    )


async def load_shown(
    loader: ImageLoader,
    shown: Sequence[ShownImages],
    settings: ReasonerSection,
    tenant: Tenant,
    *,
    notes_all: bool = False,
) -> PassedImages:
    """Check all images, and fetch those that are addresses.

    One of an earlier turn that cannot be loaded, or one of a tool's result that is at fault
    itself, has the line in its place that stands there for a reasoner that is sent captions; so
    has any other where the settings say so, or `notes_all`.
    Raises InvalidRequest for more different ones than the limits allow, and what
    `ImageLoader.load` raises for all others.
    """
    if not shown:
        return PassedImages({})
    notes_all |= settings.on_caption_failure == "note"
    left_s = time_left_s()
    limit = (
        TimeLimit(left_s / 2, "half of the request's time")
        if notes_all
        else TimeLimit(left_s, "the request's time")
    )
    sources = [source for message in shown for source in message.sources]
    outcomes = iter(await loader.load_each(sources, limit, tenant=tenant))
    return PassedImages({
        message.index: _substitutes(
            loader, message, list(islice(outcomes, len(message.sources))), notes_all=notes_all
        )
        for message in shown
    })  # fmt: skip


def _substitutes(
    loader: ImageLoader,
    message: ShownImages,
    outcomes: Sequence[Image | RacroError],
    *,
    notes_all: bool,
) -> list[Substitute]:
    """Return what comes in the place of a message's images. Raises the first error of one."""
    found: list[Substitute] = []
    for source, outcome in zip(message.sources, outcomes, strict=True):
        if isinstance(outcome, RacroError):
            is_of_tool = source.may_be_left_out and isinstance(outcome, OF_IMAGES)
            if not (notes_all or message.is_earlier or is_of_tool):
                raise outcome
            found.append(missing_image(missing_perception(outcome, of_loading=True).reason))
        else:
            found.append(outcome if is_address(source.content) else None)
    images = [one for one in outcomes if isinstance(one, Image)]
    try:
        if images:
            loader.check_together(images)
    except RacroError as error:
        if not (notes_all or message.is_earlier):
            raise
        return [missing_image(missing_perception(error, of_loading=True).reason)] * len(outcomes)
    return found


def seeing_request(
    fields: Mapping[str, Raw],
    conversation: ChatConversation,
    settings: ReasonerSection,
    passed: PassedImages,
    limits: LimitsSection,
) -> dict[str, Any]:
    """Return the reasoner's request for a client's `fields`, which hold the conversation."""
    model = settings.model if passed.by_message else settings.text_model or settings.model
    request: dict[str, Any] = {**fields, "model": model}
    changed = {
        index: substitutes
        for index, substitutes in passed.by_message.items()
        if any(one is not None for one in substitutes)
    }
    if not changed:
        return request
    messages = decode_list(conversation.messages)
    for index, substitutes in changed.items():
        following = iter(substitutes)

        def place(_: ImageSource, following: Iterator[Substitute] = following) -> Substitute:
            return next(following)

        messages[index] = _passed(conversation, messages[index], index, place, limits)
    return request | conversation.fields(messages, changed.keys())

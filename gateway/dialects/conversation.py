"""The images of an OpenAI chat conversation: the turns that are about images, with their questions,
and the messages with visual contexts in place of the images.

What becomes of a message depends on the messages up to it and nothing else, so that the same
history always gives the reasoner the same prefix. Fields that the gateway does not read stay the
bytes that the client sent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from gateway.images.loader import ImageSource
from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.prompts import further_image, visual_context_block
from racro.contracts.solve_api import VisualContext
from racro.servekit.json_bounds import TooManyError, fields_of, holds_more, items_of

FOLLOW_UP_TURNS = 3

# Coding agents wrap the user's text in reminders that change every day; the question does not.
_REMINDER_TAG = re.compile(r"<(?P<ends>/?)system-reminder>", re.IGNORECASE)
_LONGEST_TAG = len("</system-reminder>")
# Characters that take a few milliseconds.
_SEARCHED = 64 * 2**10


class _ImageUrl(msgspec.Struct):
    url: str = ""


class _Part(msgspec.Struct):
    type: str = ""
    text: str = ""
    image_url: _ImageUrl | str | None = None


class _Message(msgspec.Struct):
    role: str = ""
    content: str | list[_Part] | None = None


@dataclass(frozen=True)
class ImageTurn:
    """A message that is about images, with its question. `images` may be those of an earlier turn.

    `current`: the message belongs to the turn that is to be answered, which begins with the last
    words or images of the user. `left_out`: its images are not looked at any more.
    """

    index: int
    images: tuple[ImageSource, ...]
    question: str | None
    current: bool = False
    follow_up: bool = False
    left_out: bool = False


class _RawPart(msgspec.Struct):
    type: str = ""
    text: Raw = Raw(b'""')


class _Content(msgspec.Struct):
    content: Raw = Raw(b"null")


_messages_decoder = msgspec.json.Decoder(list[_Message])
_raws_decoder = msgspec.json.Decoder(list[Raw])
_content_decoder = msgspec.json.Decoder(_Content)
_raw_parts_decoder = msgspec.json.Decoder(list[_RawPart])
# Of an object in a list, with its comma.
_LEAST_BYTES = len("{},")
# No message of OpenAI's API has more than ten.
_MOST_FIELDS = 128


def _check_counts(messages: bytes, limits: LimitsSection) -> None:
    """Check how many messages there are and how many parts they have, before any is parsed.

    Raises InvalidRequest over the limits, and NotJson.
    """
    # Messages and parts are objects, and no message is parsed beyond one that is none.
    fewest = min(limits.max_messages, limits.max_parts)
    if len(messages) <= _LEAST_BYTES * fewest or not holds_more(messages, b"{", fewest):
        return
    field, most = "max_messages", limits.max_messages
    try:
        listed = items_of(messages, most)
        field, most = "max_parts", limits.max_parts
        _check_parts(listed, most)
    except TooManyError as error:
        raise InvalidRequest(f"messages: more than {field} = {most}", param="messages") from error


def _check_parts(messages: Sequence[Raw], most: int) -> None:
    """Raise TooManyError where messages have more parts than that together."""
    parts = 0
    for message in messages:
        parts += _parts_in(message, most)
        if parts > most:
            raise TooManyError


def _parts_in(message: Raw, most: int) -> int:
    """Return how many parts a message has; none if it has not the shape of a message."""
    try:
        content = _content_decoder.decode(message).content
        return len(items_of(content, most))
    except msgspec.ValidationError:
        return 0


def find_image_turns(messages: bytes, limits: LimitsSection, *, follow_up: bool) -> list[ImageTurn]:
    """Return the turns of a conversation that are about images, in order.

    `messages` is the field's JSON. Where its shape is not OpenAI's there are none: the reasoner
    refuses it. Raises InvalidRequest for an image without a URL and, where there may be images, for
    more messages or parts than `limits` allow; NotJson.
    """
    # Without these bytes there is no image: the name could else be written with escapes only.
    if b"image_url" not in messages and b"\\u" not in messages:
        return []
    _check_counts(messages, limits)
    try:
        parsed = _messages_decoder.decode(messages)
    except msgspec.ValidationError:
        if b"image_url" in messages:
            raise InvalidRequest(
                "the messages have an image, but not the shape of OpenAI's chat API",
                param="messages",
            ) from None
        return []
    return _image_turns(parsed, follow_up=follow_up)


def _image_turns(messages: Sequence[_Message], *, follow_up: bool) -> list[ImageTurn]:
    found: list[ImageTurn] = []
    current_from = 0
    shown: tuple[ImageSource, ...] = ()
    user_turns_since = 0
    last_user_text: str | None = None
    for index, message in enumerate(messages):
        if message.role not in {"user", "tool"}:
            continue
        images = tuple(_images(message, index))
        question = _question(message) if message.role == "user" else last_user_text
        if message.role == "user":
            user_turns_since += 1
            last_user_text = question or last_user_text
            current_from = index if question or images else current_from
        if images:
            shown, user_turns_since = images, 0
            found.append(ImageTurn(index, images, question))
        elif (
            follow_up
            and message.role == "user"
            and shown
            and question
            and user_turns_since <= FOLLOW_UP_TURNS
        ):
            found.append(ImageTurn(index, shown, question, follow_up=True))
    return [replace(turn, current=turn.index >= current_from) for turn in found]


def _images(message: _Message, index: int) -> Iterator[ImageSource]:
    if not isinstance(message.content, list):
        return
    for position, part in enumerate(message.content):
        if part.type != "image_url":
            continue
        param = f"messages[{index}].content[{position}].image_url"
        url = part.image_url.url if isinstance(part.image_url, _ImageUrl) else part.image_url
        if not url:
            raise InvalidRequest(f"{param}: an image_url needs a url", param=param)
        yield ImageSource(url, param=param)


def _question(message: _Message) -> str | None:
    if isinstance(message.content, list):
        text = "\n".join(part.text for part in message.content if part.type == "text")
    else:
        text = message.content or ""
    return _without_reminders(text).strip() or None


def _without_reminders(text: str) -> str:
    """Return the text between reminders; one without an end is none.

    A pattern for whole reminders would take time quadratic in the number of tags that begin one.
    """
    kept, outside_from = [], 0
    begins: int | None = None
    for tag in _reminder_tags(text):
        if not tag["ends"]:
            begins = tag.start() if begins is None else begins
        elif begins is not None:
            kept.append(text[outside_from:begins])
            outside_from, begins = tag.end(), None
    return "".join([*kept, text[outside_from:]])


def _reminder_tags(text: str) -> Iterator[re.Match[str]]:
    """Yield the tags that begin or end reminders."""
    start = 0
    while start < len(text):
        # No other thread runs while a pattern is searched for.
        tag = _REMINDER_TAG.search(text, start, start + _SEARCHED)
        if tag is not None:
            yield tag
            start = tag.end()
        else:
            start += _SEARCHED - _LONGEST_TAG


def insert_contexts(
    messages: bytes, contexts: Mapping[int, tuple[ImageTurn, VisualContext | str]]
) -> list[Raw]:
    """Return the messages with the visual context of each turn; the others stay as they were.

    `contexts` holds turns and their visual contexts by the index of the message; for a turn without
    one, the line that stands in the place of each of its images. Raises InvalidRequest for one of
    these messages with very many fields.
    """
    return [
        _rewrite(message, *contexts[index]) if index in contexts else message
        for index, message in enumerate(_raws_decoder.decode(messages))
    ]


def _rewrite(message: Raw, turn: ImageTurn, context: VisualContext | str) -> Raw:
    try:
        fields: dict[str, Any] = dict(fields_of(message, _MOST_FIELDS))
    except TooManyError as error:
        param = f"messages[{turn.index}]"
        raise InvalidRequest(f"{param}: more fields than {_MOST_FIELDS}", param=param) from error
    texts = list(_in_place_of_images(turn, context))
    pieces = _pieces(fields["content"], texts)
    fields["content"] = _joined([_written(texts[0]), *pieces] if turn.follow_up else pieces)
    return Raw(msgspec.json.encode(fields))


def _in_place_of_images(turn: ImageTurn, context: VisualContext | str) -> Iterator[str]:
    """Yield what stands in the place of each image of a turn."""
    if isinstance(context, str):
        yield from [context] * len(turn.images)
        return
    yield visual_context_block(
        images=len(turn.images),
        caption=context.caption,
        tentative=context.tentative,
        follow_up=turn.follow_up,
    )
    yield from map(further_image, range(2, len(turn.images) + 1))


class _Piece(NamedTuple):
    """A text, as it is written in JSON, or a whole part of another type."""

    raw: Raw
    is_text: bool


def _written(text: str) -> _Piece:
    return _Piece(Raw(msgspec.json.encode(text)), is_text=True)


def _pieces(content: Raw, in_place_of_images: Iterable[str]) -> list[_Piece]:
    """Return the texts, those `in_place_of_images`, and other parts as they are."""
    if bytes(memoryview(content)[:1]) == b'"':
        return [_Piece(content, is_text=True)]
    pieces = []
    replacements = iter(in_place_of_images)
    for part, raw in zip(
        _raw_parts_decoder.decode(content), _raws_decoder.decode(content), strict=True
    ):
        if part.type == "image_url":
            pieces.append(_written(next(replacements)))
        elif part.type == "text":
            pieces.append(_Piece(part.text, is_text=True))
        else:
            pieces.append(_Piece(raw, is_text=False))
    return pieces


def _joined(pieces: Sequence[_Piece]) -> Raw | list[Raw | dict[str, Any]]:
    """Join texts to one where there is nothing else: text-only servers take little but strings."""
    if all(piece.is_text for piece in pieces):
        # As they are written, between their quotes: a text may be tens of megabytes long.
        return Raw(b'"' + rb"\n".join(memoryview(piece.raw)[1:-1] for piece in pieces) + b'"')
    return [{"type": "text", "text": piece.raw} if piece.is_text else piece.raw for piece in pieces]

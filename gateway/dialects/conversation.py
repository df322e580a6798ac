"""The turns of a conversation that are about images, with their questions.

What becomes of a message depends on the messages up to it and nothing else, so that the same
history always gives the reasoner the same prefix.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec
from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation, decode_list
from gateway.dialects.message_counts import check_parsed, check_unparsed
from gateway.dialects.message_images import (
    Message,
    Param,
    fields_beside,
    may_show_images,
    message_pieces,
    read_message,
)
from gateway.dialects.question_rules import own_words
from gateway.images.loader import ImageSource
from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, items_of

FOLLOW_UP_TURNS = 3

# They instruct for all of a conversation, and ask nothing.
_INSTRUCTING_ROLES = frozenset({"system", "developer"})
# Parts of a user's message that tell what tools gave, as messages with roles of their own do.
_RESULT_PARTS = frozenset({"tool_result", "tool-result"})
# Some of it stands in messages with images, where these cannot be parsed or are too many.
_MARKS = (b'"image_url"', b";base64,")
_TYPE = re.compile(rb'"type"\s{0,16}:\s{0,16}"(?:image|input_image|file|input_file|document|video)')
_LONGEST_TYPE = 64
# Bytes that take a few milliseconds.
_SEARCHED = 2**20


@dataclass(frozen=True)
class ImageTurn:
    """A message that is about images, with its question. `images` may be those of an earlier turn.

    `current`: the message belongs to the turn that is to be answered, which begins with the last
    words or images of the user. `left_out`: its images are not looked at any more, and `dropped`:
    so many of its first ones are not, which are not in `images`. `lines` stand in place of those of
    its images that could not be captioned, by their positions.
    """

    index: int
    images: tuple[ImageSource, ...]
    question: str | None
    current: bool = False
    follow_up: bool = False
    left_out: bool = False
    dropped: int = 0
    lines: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_about_earlier(self) -> bool:
        """Whether its images were shown before the turn that is to be answered."""
        return self.follow_up or not self.current


_messages_decoder = msgspec.json.Decoder(list[Message])
# Messages of up to so many bytes are parsed first and counted then.
_SMALL_BYTES = 256 * 2**10


def find_image_turns(
    conversation: ChatConversation, limits: LimitsSection, *, follow_up: bool
) -> list[ImageTurn]:
    """Return the turns of a conversation that are about images, in order.

    Where its shape is not that of its API there are none: the reasoner refuses it. Raises
    InvalidRequest for what cannot be seen, naming it, and, where there may be images, for more
    messages or parts than `limits` allow; NotJson.
    """
    parsed = _parsed(conversation, limits)
    if not any(map(may_show_images, parsed)):
        return []
    check_parsed(parsed, limits, param=conversation.field)
    turns = _Turns(conversation, follow_up=follow_up)
    raws = decode_list(conversation.messages)
    for index, (message, raw) in enumerate(zip(parsed, raws, strict=True)):
        turns.add(index, message, raw)
    return turns.found()


def _parsed(conversation: ChatConversation, limits: LimitsSection) -> list[Message]:
    """Return what is read of the messages; nothing where they are the reasoner's to refuse, or too
    many and without images.
    """
    messages, param = conversation.messages, conversation.field
    try:
        if len(messages) > _SMALL_BYTES:
            check_unparsed(messages, limits, param=param)
        return _read(messages, limits, param)
    except InvalidRequest:
        if may_have_images(messages):
            raise
    except msgspec.ValidationError as error:
        if may_have_images(messages):
            raise InvalidRequest(
                f"{param}: there is an image, but not the shape of this API", param=param
            ) from error
    return []


def _read(messages: bytes, limits: LimitsSection, param: str) -> list[Message]:
    """Return what is read of the messages, and of odd ones what can be.

    Raises InvalidRequest for more than the limits allow, where some are odd, and NotJson.
    """
    try:
        return _messages_decoder.decode(messages)
    except msgspec.ValidationError:
        pass
    try:
        return _read_one_by_one(messages, limits)
    except TooManyError as error:
        raise InvalidRequest(
            f"{param}: more than max_messages = {limits.max_messages} "
            f"or max_parts = {limits.max_parts}",
            param=param,
        ) from error


def _read_one_by_one(messages: bytes, limits: LimitsSection) -> list[Message]:
    """Return what is read of each message. Raises TooManyError and NotJson."""
    read: list[Message] = []
    parts = 0
    for raw in items_of(messages, limits.max_messages):
        read.append(read_message(raw, limits.max_parts))
        parts += len(read[-1].parts)
        if parts > limits.max_parts:
            raise TooManyError
    return read


def may_have_images(messages: bytes) -> bool:
    """Tell whether a conversation may have images, whatever its shape; False is no proof."""
    if any(mark in messages for mark in _MARKS):
        return True
    # No other thread runs while a pattern is searched for.
    return any(
        _TYPE.search(messages, start, start + _SEARCHED + _LONGEST_TYPE)
        for start in range(0, len(messages), _SEARCHED)
    )


class _Turns:
    """Gathers the turns about images, message by message."""

    def __init__(self, conversation: ChatConversation, *, follow_up: bool) -> None:
        self._conversation = conversation
        self._follows_up = follow_up
        self._found: list[ImageTurn] = []
        self._current_from = 0
        self._shown: tuple[ImageSource, ...] = ()
        self._user_turns_since = 0
        self._last_user_text: str | None = None
        # Whether nobody said anything since a tool's result.
        self._after_result = False

    def found(self) -> list[ImageTurn]:
        return [replace(turn, current=turn.index >= self._current_from) for turn in self._found]

    def add(self, index: int, message: Message, raw: Raw) -> None:
        images, text = _images_and_text(message, raw, partial(self._conversation.param, index))
        if message.role in _INSTRUCTING_ROLES:
            self._show(index, images, None)
            return
        own = own_words(text).strip() or None if message.role == "user" else None
        if message.role != "user" or (own is None and _tells_results(message)):
            self._show(index, images, self._last_user_text)
            self._after_result = message.role != "assistant"
            return
        self._user_turns_since += 1
        self._last_user_text = own or self._last_user_text
        if own or images:
            self._current_from = index
        # Images beside which only agents wrote words, or that come right after a tool's result, as
        # where a server takes none within it, were asked for before.
        asked_before = bool(text.strip()) or self._after_result
        self._show(index, images, self._last_user_text if asked_before else None)
        self._after_result &= own is None
        is_near = self._user_turns_since <= FOLLOW_UP_TURNS
        if self._follows_up and not images and self._shown and own and is_near:
            self._found.append(ImageTurn(index, self._shown, own, follow_up=True))

    def _show(self, index: int, images: tuple[ImageSource, ...], question: str | None) -> None:
        if images:
            self._shown, self._user_turns_since = images, 0
            self._found.append(ImageTurn(index, images, question))


def _images_and_text(
    message: Message, raw: Raw, param: Param
) -> tuple[tuple[ImageSource, ...], str]:
    """Return a message's images, and its own words without them."""
    if not may_show_images(message):
        return (), message.text
    images: list[ImageSource] = []

    def place(source: ImageSource) -> str:
        images.append(source)
        return ""

    pieces = message_pieces(raw, place, param=param)
    fields_beside(raw, place, param=param)
    words = [piece.text for piece in pieces if piece.text is not None and not piece.is_image]
    return tuple(images), "\n".join(words)


def _tells_results(message: Message) -> bool:
    """Whether a message has results of tools among its parts."""
    return any(part.type in _RESULT_PARTS for part in message.parts)

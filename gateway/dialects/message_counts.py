"""Bounds on how many messages and parts a chat with images has."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from gateway.dialects.message_images import Message
from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, holds_more, items_of


class _Content(msgspec.Struct):
    content: Raw = Raw(b"null")


_content_decoder = msgspec.json.Decoder(_Content)


def check_unparsed(messages: bytes, limits: LimitsSection, *, param: str) -> None:
    """Check how many messages there are and how many parts they have, before any is parsed.

    `param` names the field that holds them. Raises InvalidRequest over the limits, and NotJson.
    """
    # Messages and parts are objects; where some are not, they are counted as they are read.
    fewest = min(limits.max_messages, limits.max_parts)
    if not holds_more(messages, b"{", fewest):
        return
    field, most = "max_messages", limits.max_messages
    try:
        listed = items_of(messages, most)
        field, most = "max_parts", limits.max_parts
        _check_parts(listed, most)
    except TooManyError as error:
        raise InvalidRequest(f"{param}: more than {field} = {most}", param=param) from error


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


def check_parsed(messages: Sequence[Message], limits: LimitsSection, *, param: str) -> None:
    """Raise InvalidRequest for more messages or parts than the limits allow."""
    parts = sum(len(one.parts) for one in messages)
    for field, count, most in (
        ("max_messages", len(messages), limits.max_messages),
        ("max_parts", parts, limits.max_parts),
    ):
        if count > most:
            raise InvalidRequest(f"{param}: more than {field} = {most}", param=param)

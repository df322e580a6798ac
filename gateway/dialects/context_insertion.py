"""The messages of a conversation with visual contexts in place of their images.

Fields that the gateway does not read stay the bytes that the client sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation, decode_list
from gateway.dialects.conversation import ImageTurn
from gateway.dialects.message_images import (
    Piece,
    as_parts,
    fields_beside,
    joined,
    message_pieces,
    new_text,
)
from racro.contracts.errors import InvalidRequest
from racro.contracts.prompts import LEFT_OUT_IMAGE, further_image, visual_context_block
from racro.contracts.solve_api import VisualContext
from racro.servekit.json_bounds import TooManyError, fields_of

# No message of OpenAI's API has more than ten.
_MOST_FIELDS = 128
_NOTHING = Raw(b"null")
_encode = msgspec.json.Encoder().encode


def insert_contexts(
    conversation: ChatConversation, contexts: Mapping[int, tuple[ImageTurn, VisualContext | str]]
) -> list[Raw]:
    """Return the messages with the visual context of each turn; the others stay as they were.

    `contexts` holds turns and their visual contexts by the index of the message; for a turn without
    one, the line that stands in the place of each of its images that has none of its own. Raises
    InvalidRequest for one of these messages with very many fields, or a part that has them.
    """
    messages = decode_list(conversation.messages)
    for index, (turn, context) in contexts.items():
        try:
            messages[index] = _rewritten(conversation, messages[index], turn, context)
        except TooManyError as error:
            place = conversation.place(index)
            raise InvalidRequest(
                f"{place}: it, or a part of it, has more fields than {_MOST_FIELDS}", param=place
            ) from error
    return messages


def _rewritten(
    conversation: ChatConversation, message: Raw, turn: ImageTurn, context: VisualContext | str
) -> Raw:
    param = partial(conversation.param, turn.index)
    fields: dict[str, Any] = dict(fields_of(message, _MOST_FIELDS))
    texts = _in_place_of_images(turn, context)
    before = [new_text(next(texts))] if turn.follow_up else []
    pieces = message_pieces(message, lambda _: next(texts), param=param)
    fields |= fields_beside(message, lambda _: next(texts), param=param)
    fields.pop("images", None)
    # Results of tools have to come first in a message of Anthropic's.
    first = next((at for at, one in enumerate(pieces) if not one.is_result), len(pieces))
    if contents := [*pieces[:first], *before, *pieces[first:]]:
        fields["content"] = _content(conversation, fields, contents)
    return Raw(_encode(fields))


def _content(
    conversation: ChatConversation, fields: Mapping[str, Raw], pieces: Sequence[Piece]
) -> Raw | list[Raw | dict[str, Any]]:
    """Return the content of a message, of which `fields` are those that the client sent."""
    is_list = bytes(memoryview(fields.get("content", _NOTHING))[:1]) in {b"[", b"{"}
    if conversation.joins_texts or not is_list:
        text = joined(pieces)
        if text is not None:
            return text
    return as_parts(pieces, conversation.text_type(bytes(fields.get("role", _NOTHING))))


def _in_place_of_images(turn: ImageTurn, context: VisualContext | str) -> Iterator[str]:
    """Yield what stands in the place of each image of a turn."""
    yield from [LEFT_OUT_IMAGE] * turn.dropped
    captioned = len(turn.images) - len(turn.lines)
    number = 0
    for position in range(1 if turn.follow_up else len(turn.images)):
        if isinstance(context, str):
            yield turn.lines.get(position, context)
        elif position in turn.lines and not turn.follow_up:
            yield turn.lines[position]
        else:
            number += 1
            yield _block(context, captioned, turn) if number == 1 else further_image(number)


def _block(context: VisualContext, images: int, turn: ImageTurn) -> str:
    return visual_context_block(
        images=images,
        caption=context.caption,
        tentative=context.tentative,
        follow_up=turn.follow_up,
    )

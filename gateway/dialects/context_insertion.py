"""The messages of a conversation with visual contexts in place of their images.

Fields that the gateway does not read stay the bytes that the client sent.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from gateway.dialects.conversation import ImageTurn
from gateway.dialects.message_images import Piece, fields_beside, joined, message_pieces
from racro.contracts.errors import InvalidRequest
from racro.contracts.prompts import LEFT_OUT_IMAGE, further_image, visual_context_block
from racro.contracts.solve_api import VisualContext
from racro.servekit.json_bounds import TooManyError, fields_of

# No message of OpenAI's API has more than ten.
_MOST_FIELDS = 128
_raws_decoder = msgspec.json.Decoder(list[Raw])
_encode = msgspec.json.Encoder().encode


def insert_contexts(
    messages: bytes, contexts: Mapping[int, tuple[ImageTurn, VisualContext | str]]
) -> list[Raw]:
    """Return the messages with the visual context of each turn; the others stay as they were.

    `contexts` holds turns and their visual contexts by the index of the message; for a turn without
    one, the line that stands in the place of each of its images that has none of its own. Raises
    InvalidRequest for one of these messages with very many fields.
    """
    return [
        _rewritten(message, *contexts[index]) if index in contexts else message
        for index, message in enumerate(_raws_decoder.decode(messages))
    ]


def _rewritten(message: Raw, turn: ImageTurn, context: VisualContext | str) -> Raw:
    param = f"messages[{turn.index}]"
    try:
        fields: dict[str, Any] = dict(fields_of(message, _MOST_FIELDS))
    except TooManyError as error:
        raise InvalidRequest(f"{param}: more fields than {_MOST_FIELDS}", param=param) from error
    texts = _in_place_of_images(turn, context)
    before: list[Piece] = []
    if turn.follow_up:
        text = next(texts)
        before = [Piece(Raw(_encode(text)), text)]
    pieces = message_pieces(message, lambda _: next(texts), param=param)
    fields |= fields_beside(message, lambda _: next(texts), param=param)
    fields.pop("images", None)
    if contents := [*before, *pieces]:
        fields["content"] = joined(contents)
    return Raw(_encode(fields))


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

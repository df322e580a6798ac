"""The images of one chat message: in its parts, in tool results, in its texts, and beside them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from gateway.dialects import json_images, text_images
from gateway.dialects.image_parts import Place, image_of_part, image_source
from gateway.dialects.json_images import replace_in_json
from gateway.dialects.text_images import replace_in_markdown
from gateway.images.loader import ImageSource
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, items_of

# Messages with these roles tell what a tool gave.
RESULT_ROLES = frozenset({"tool", "function"})
# Of OpenAI's chat and of its responses API.
_TEXT_TYPES = frozenset({"text", "input_text", "output_text"})
_MOST_IMAGES = 4096


class Part(msgspec.Struct, gc=False):
    """What is read of every part."""

    type: str = ""
    text: str | None = None


class Message(msgspec.Struct, gc=False):
    """What is read of every message. `images` are those of Ollama's API."""

    role: str = ""
    content: str | list[Part] | None = None
    images: Raw | UnsetType = UNSET

    @property
    def text(self) -> str:
        """The message's own words."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text or "" for part in self.content or () if part.type in _TEXT_TYPES)


class Piece(NamedTuple):
    """A text, or a whole part of another type: as JSON, and of a text the text itself."""

    raw: Raw
    text: str | None = None
    is_image: bool = False


class _RawPart(msgspec.Struct):
    type: str = ""
    text: Raw = Raw(b'""')


class _RawMessage(msgspec.Struct):
    role: str = ""
    content: Raw = Raw(b"null")
    images: Raw = Raw(b"null")


_message_decoder = msgspec.json.Decoder(_RawMessage)
_parts_decoder = msgspec.json.Decoder(list[_RawPart])
_raws_decoder = msgspec.json.Decoder(list[Raw])
_text_decoder = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode


def may_show_images(message: Message) -> bool:
    """Tell, at little cost, whether a message may have images; False is certain."""
    if message.images is not UNSET:
        return True
    content, is_result = message.content, message.role in RESULT_ROLES
    if not content:
        return False
    if isinstance(content, str):
        return _text_may(content, is_result)
    for part in content:
        if part.type != "text" or (part.text and _text_may(part.text, is_result)):
            return True
    return False


def _text_may(text: str, is_result: bool) -> bool:
    if text_images.is_data_url(text):
        return True
    # What a tool gave may be a file with Markdown in it, whose images may be no images.
    may_hold = json_images.may_hold_images if is_result else text_images.may_hold_images
    return may_hold(text)


def message_pieces(message: Raw, place: Place, *, param: str) -> list[Piece]:
    """Return the texts and other parts of a message, with what `place` returns for each image.

    `place` is called in the order of the images; `param` names the message. What cannot be seen is
    an image whose source has a refusal.
    """
    decoded = _message_decoder.decode(message)
    pieces = list(_beside(decoded.images, place, f"{param}.images"))
    content, param = decoded.content, f"{param}.content"
    is_result = decoded.role in RESULT_ROLES
    begins = bytes(memoryview(content)[:1])
    if begins == b'"':
        pieces.append(_text_piece(content, place, param=param, is_result=is_result))
    elif begins == b"[":
        parts = zip(_parts_decoder.decode(content), _raws_decoder.decode(content), strict=True)
        for position, (part, raw) in enumerate(parts):
            of_part = f"{param}[{position}]"
            if part.type in _TEXT_TYPES and bytes(memoryview(part.text)[:1]) == b'"':
                pieces.append(_text_piece(part.text, place, param=of_part, is_result=is_result))
            else:
                pieces.append(_part_piece(raw, part.type, place, param=of_part))
    return pieces


def _beside(images: Raw, place: Place, param: str) -> Iterator[Piece]:
    """Yield pieces for images that stand beside the content."""
    try:
        for source in _sources_beside(images, param):
            yield _written(place(source), is_image=True)
    except InvalidRequest as error:
        yield _written(place(_refused(error)), is_image=True)


def _sources_beside(images: Raw, param: str) -> Iterator[ImageSource]:
    """Yield images that stand beside the content: base64, URLs, or parts."""
    if bytes(memoryview(images)[:1]) == b"n":
        return
    try:
        listed = items_of(images, _MOST_IMAGES)
    except TooManyError as error:
        raise InvalidRequest(f"{param}: more than {_MOST_IMAGES}", param=param) from error
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"{param}: no list", param=param) from error
    for position, image in enumerate(listed):
        of_image = f"{param}[{position}]"
        begins, source = bytes(memoryview(image)[:1]), None
        if begins == b'"':
            source = image_source(_text_decoder.decode(image), param=of_image)
        elif begins == b"{":
            source = image_of_part(image, "image", param=of_image)
        if source is None:
            raise InvalidRequest(f"{of_image}: neither base64 nor an image part", param=of_image)
        yield source


def _refused(error: InvalidRequest) -> ImageSource:
    """Return what stands for an image that cannot be seen, so that only its own turn is refused."""
    return ImageSource(error.message, param=error.param or "", refusal=error)


def _text_piece(raw: Raw, place: Place, *, param: str, is_result: bool) -> Piece:
    text = _text_decoder.decode(raw)
    if not _text_may(text, is_result):
        return Piece(raw, text)
    if text_images.is_data_url(text):
        return _written(place(ImageSource(text, param=param)))
    if is_result:
        json = replace_in_json(text.encode(), place, param=param)
        return Piece(raw, text) if json is None else _written(bytes(json).decode())
    return _written(replace_in_markdown(text, place, param=param))


def _part_piece(raw: Raw, kind: str, place: Place, *, param: str) -> Piece:
    try:
        source = image_of_part(raw, kind, param=param)
    except InvalidRequest as error:
        source = _refused(error)
    if source is not None:
        return _written(place(source), is_image=True)
    # Blocks such as Anthropic's tool_result have parts of their own.
    replaced = replace_in_json(raw, place, param=param)
    return Piece(raw if replaced is None else replaced)


def _written(text: str, *, is_image: bool = False) -> Piece:
    return Piece(Raw(_encode(text)), text, is_image)


def joined(pieces: Sequence[Piece]) -> Raw | list[Raw | dict[str, Any]]:
    """Join texts to one where there is nothing else: text-only servers take little but strings."""
    if all(piece.text is not None for piece in pieces):
        # As they are written, between their quotes: a text may be tens of megabytes long.
        return Raw(b'"' + rb"\n".join(memoryview(piece.raw)[1:-1] for piece in pieces) + b'"')
    return [
        piece.raw if piece.text is None else {"type": "text", "text": piece.raw} for piece in pieces
    ]

"""The images of one chat message: in its parts, in tool results, in its texts, and beside them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType, field

from gateway.dialects.fetched_documents import FETCHED, with_fetched_text
from gateway.dialects.image_parts import Place, image_of_part
from gateway.dialects.part_descriptions import with_description
from gateway.dialects.text_images import may_hold_images, replace_images
from gateway.images.loader import ImageSource
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, fields_of, items_of

# Returns how errors name a field of a message.
Param = Callable[[str], str]
Decoded = TypeVar("Decoded")
Default = TypeVar("Default")

# Of OpenAI's chat and of its responses API.
_TEXT_TYPES = frozenset({"text", "input_text", "output_text"})
# What is in them is not for eyes: sound, and thoughts, which their API has signed or encrypted.
_UNSEEN_TYPES = frozenset(
    {"input_audio", "audio", "audio_url", "thinking", "redacted_thinking", "compaction"}
)
# Parts that have parts or JSON of their own.
RESULT_PARTS = frozenset({"tool_result", "tool-result", "mcp_tool_result"})
# So the types of results of Anthropic's own tools end. In a list of parts a text may stand.
_RESULT = "_tool_result"
_CALLS = frozenset({"tool_use", "tool-call", "mcp_tool_use", "server_tool_use"})
# Documents of text may have parts, too.
_BLOCKS = RESULT_PARTS | _CALLS | {"search_result", "document"}
# Their JSON is a tool's; links are taken from no other.
_TOOL_ROLES = (b'"tool"', b'"function"')
# Where it is a name: in a text its quotes are escaped.
_CACHE_CONTROL = b'"cache_control"'
# Bytes that take less than a millisecond.
_SEARCHED = 2**20
_NOTHING = Raw(b"null")
_MOST_FIELDS = 128
_MOST_IMAGES = 4096
# A text without a type, but with an image, is longer by more than this.
_LEAST_WITHOUT_IMAGE = len('{"text":}')


class Part(msgspec.Struct, gc=False):
    """What is read of every part."""

    type: str = ""
    text: str | None = None
    # A part may say that it is a text, and have an image all the same.
    image_url: Raw = _NOTHING
    image_url_in_camel_case: Raw = field(default=_NOTHING, name="imageUrl")
    image: Raw = _NOTHING
    inline_data: Raw = _NOTHING
    inline_data_in_camel_case: Raw = field(default=_NOTHING, name="inlineData")

    @property
    def has_image(self) -> bool:
        images = (self.image_url, self.image_url_in_camel_case, self.image, self.inline_data)
        return any(one is not _NOTHING for one in (*images, self.inline_data_in_camel_case))


class _OtherFields(msgspec.Struct, gc=False):
    """Fields beside the content that may have images, such as the arguments of calls."""

    tool_calls: Raw = _NOTHING
    function_call: Raw = _NOTHING
    files: Raw = _NOTHING
    attachments: Raw = _NOTHING
    experimental_attachments: Raw = _NOTHING
    fields_of_ui: Raw = field(default=_NOTHING, name="parts")
    reasoning_content: Raw = _NOTHING
    reasoning: Raw = _NOTHING


class Message(_OtherFields, kw_only=True, gc=False):
    """What is read of every message. `images` are those of Ollama's API."""

    role: str = ""
    content: str | list[Part] | None = None
    images: Raw | UnsetType = UNSET

    @property
    def parts(self) -> list[Part]:
        return self.content if isinstance(self.content, list) else []

    @property
    def text(self) -> str:
        """The message's own words."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text or "" for part in self.parts if part.type in _TEXT_TYPES)


class Piece(NamedTuple):
    """A text, or a whole part of another type: as JSON, and of a text the text itself.

    `part` is the part that a text stands in where it is one of a list, or the one that stood in the
    place of an image's. A text is as the client sent it unless it `is_new`.
    """

    raw: Raw
    text: str | None = None
    is_image: bool = False
    part: Raw | None = None
    is_new: bool = False
    is_result: bool = False

    @property
    def cache_control(self) -> Raw | None:
        """What the part says of a prompt's cache, if anything: it is where the prefix ends."""
        if self.part is None or not _may_be_marked(memoryview(self.part)):
            return None
        mark = _decoded_or(_Marked(), _marked_decoder, self.part).cache_control
        return None if mark is _NOTHING else mark


def _may_be_marked(part: memoryview) -> bool:
    """Tell whether a part may have a `cache_control`, in steps: other threads wait meanwhile."""
    return any(
        _CACHE_CONTROL in bytes(part[start : start + _SEARCHED + len(_CACHE_CONTROL)])
        for start in range(0, part.nbytes, _SEARCHED)
    )


class _Marked(msgspec.Struct):
    cache_control: Raw = _NOTHING


class _RawPart(msgspec.Struct):
    type: str = ""
    text: Raw = Raw(b'""')


class _RawResult(msgspec.Struct):
    content: Raw = Raw(b"null")


class _RawMessage(msgspec.Struct):
    role: Raw = Raw(b"null")
    content: Raw = Raw(b"null")
    images: Raw = Raw(b"null")


class _OddMessage(msgspec.Struct):
    role: Raw = Raw(b"null")
    content: Raw = Raw(b"null")
    images: Raw | UnsetType = UNSET


_NAMES_BESIDE = {one.name: one.encode_name for one in msgspec.structs.fields(_OtherFields)}
_others_decoder = msgspec.json.Decoder(_OtherFields)
_message_decoder = msgspec.json.Decoder(Message)
_odd_message_decoder = msgspec.json.Decoder(_OddMessage)
_part_decoder = msgspec.json.Decoder(Part)
_raw_message_decoder = msgspec.json.Decoder(_RawMessage)
_raw_part_decoder = msgspec.json.Decoder(_RawPart)
_result_decoder = msgspec.json.Decoder(_RawResult)
_marked_decoder = msgspec.json.Decoder(_Marked)
_raws_decoder = msgspec.json.Decoder(list[Raw])
_text_decoder = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode


def read_message(raw: Raw, most_parts: int) -> Message:
    """Return what is read of a message, and of what has not OpenAI's shape nothing: no text, no
    role, a part without a type.

    Raises TooManyError for more parts than `most_parts`.
    """
    if (message := _decoded_or(None, _message_decoder, raw)) is not None:
        return message
    odd = _decoded_or(_OddMessage(), _odd_message_decoder, raw)
    content: str | list[Part] | None = _decoded_or(None, _text_decoder, odd.content)
    if bytes(memoryview(odd.content)[:1]) in {b"[", b"{"}:
        parts = items_of(_listed(odd.content), most_parts)
        content = [_decoded_or(Part(), _part_decoder, part) for part in parts]
    others = _decoded_or(_OtherFields(), _others_decoder, raw)
    return Message(
        role=_decoded_or("", _text_decoder, odd.role),
        content=content,
        images=odd.images,
        **msgspec.structs.asdict(others),
    )


def _decoded_or(
    default: Default, decoder: msgspec.json.Decoder[Decoded], raw: Raw
) -> Decoded | Default:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return default


def _listed(content: Raw) -> Raw:
    """Return the parts of a message, where one alone may stand without a list."""
    is_one = bytes(memoryview(content)[:1]) == b"{"
    return Raw(b"".join([b"[", memoryview(content), b"]"])) if is_one else content


def may_show_images(message: Message) -> bool:
    """Tell, at little cost, whether a message may have images; False is certain."""
    if message.images is not UNSET:
        return True
    if any(may_hold_images(text) for _, text in _texts_beside(message)):
        return True
    content = message.content
    if isinstance(content, str):
        return may_hold_images(content)
    return any(
        part.type not in _TEXT_TYPES
        or part.has_image
        or (part.text is not None and may_hold_images(part.text))
        for part in content or ()
    )


def message_pieces(message: Raw, place: Place, *, param: Param) -> list[Piece]:
    """Return the texts and other parts of a message, with what `place` returns for each image.

    `place` is called in the order of the images; `param` names its fields. What cannot be seen
    is an image whose source has a refusal.
    """
    decoded = _decoded_or(_RawMessage(), _raw_message_decoder, message)
    content, of_content = decoded.content, param("content")
    begins = bytes(memoryview(content)[:1])
    with_links = bytes(memoryview(decoded.role)[:16]) in _TOOL_ROLES
    parts = _raws_decoder.decode(_listed(content)) if begins in {b"[", b"{"} else []
    pieces_of = partial(
        _part_pieces, place=place, param=of_content, with_links=with_links, is_alone=begins == b"{"
    )
    # Results of tools have to come first in a message of Anthropic's.
    results = list(takewhile(_is_result, parts))
    pieces = [*pieces_of(results), *_beside(decoded.images, place, param("images"))]
    if begins == b'"':
        pieces.append(_text_piece(content, place, param=of_content, with_links=with_links))
    return [*pieces, *pieces_of(parts[len(results) :], start=len(results))]


def _is_result(part: Raw) -> bool:
    return _decoded_or(_RawPart(), _raw_part_decoder, part).type in RESULT_PARTS


def fields_beside(message: Raw, place: Place, *, param: Param) -> dict[str, Raw]:
    """Return the fields beside the content that have images, with what `place` returns for each.

    To be called after `message_pieces`, as the images of the content are the first.
    """
    others = _decoded_or(_OtherFields(), _others_decoder, message)
    replaced = {
        name: replace_images(text, place, param=param(name)) for name, text in _texts_beside(others)
    }
    return {name: Raw(text.encode()) for name, text in replaced.items() if text is not None}


def _texts_beside(message: _OtherFields) -> Iterator[tuple[str, str]]:
    for attribute, name in _NAMES_BESIDE.items():
        json: Raw = getattr(message, attribute)
        if json is not _NOTHING:
            yield name, bytes(json).decode()


def _part_pieces(
    parts: Sequence[Raw],
    *,
    place: Place,
    param: str,
    with_links: bool,
    within_result: bool = False,
    is_alone: bool = False,
    start: int = 0,
) -> Iterator[Piece]:
    """Yield the pieces of parts, of which the first is the one at `start` in its list.

    `is_alone`: there is one, and no list.
    """
    for position, raw in enumerate(parts, start):
        of_part = param if is_alone else f"{param}[{position}]"
        if bytes(memoryview(raw)[:1]) == b'"':
            piece = _text_piece(raw, place, param=of_part, with_links=with_links)
            yield piece if piece.is_new else piece._replace(part=raw)
            continue
        part = _decoded_or(_RawPart(), _raw_part_decoder, raw)
        if _is_text(part):
            piece = _text_piece(part.text, place, param=of_part, with_links=with_links)
            images = list(_images_of_text(raw, part.text, place, param=of_part))
            # What it says of its text, and of the image, stays with the last of them.
            yield piece if images else piece._replace(part=raw)
            yield from images
        elif part.type in RESULT_PARTS and not within_result:
            yield Piece(_result_part(raw, place, param=of_part), is_result=True)
        elif part.type.endswith(_RESULT) and not within_result and _has_parts(raw):
            yield Piece(_result_part(raw, place, param=of_part))
        elif part.type == FETCHED and (fetched := with_fetched_text(raw, place, param=of_part)):
            yield Piece(fetched)
        else:
            yield _part_piece(raw, part.type, place, param=of_part, with_links=with_links)


def _has_parts(block: Raw) -> bool:
    return bytes(memoryview(_result_decoder.decode(block).content)[:1]) == b"["


def _images_of_text(raw: Raw, text: Raw, place: Place, *, param: str) -> Iterator[Piece]:
    """Yield the image that stands beside the text of a part, if there is any."""
    if len(memoryview(raw)) - len(memoryview(text)) <= _LEAST_WITHOUT_IMAGE:
        return
    source = image_of_part(raw, "", param=param)
    if source is not None:
        yield _image_piece(place(source), raw)


def _is_text(part: _RawPart) -> bool:
    """Tell whether a part is a text; some clients leave its type out."""
    if part.type.lower() in _TEXT_TYPES:
        return bytes(memoryview(part.text)[:1]) == b'"'
    begins = bytes(memoryview(part.text)[:2])
    return not part.type and begins[:1] == b'"' and begins != b'""'


def _beside(images: Raw, place: Place, param: str) -> Iterator[Piece]:
    """Yield pieces for images that stand beside the content."""
    try:
        for source in _sources_beside(images, param):
            yield _image_piece(place(source))
    except InvalidRequest as error:
        yield _image_piece(place(refused(error)))


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
            source = ImageSource(_text_decoder.decode(image), param=of_image)
        elif begins == b"{":
            source = image_of_part(image, "image", param=of_image)
        if source is None:
            raise InvalidRequest(f"{of_image}: neither base64 nor an image part", param=of_image)
        yield source


def refused(error: InvalidRequest) -> ImageSource:
    """Return what stands for an image that cannot be seen, so that only its own turn is refused."""
    return ImageSource(error.message, param=error.param or "", refusal=error)


def _text_piece(raw: Raw, place: Place, *, param: str, with_links: bool) -> Piece:
    text = _text_decoder.decode(raw)
    replaced = replace_images(text, place, param=param, with_links=with_links)
    return Piece(raw, text) if replaced is None else new_text(replaced)


def _part_piece(raw: Raw, kind: str, place: Place, *, param: str, with_links: bool) -> Piece:
    if kind in _UNSEEN_TYPES:
        return Piece(raw)
    try:
        source = image_of_part(raw, kind, param=param)
    except InvalidRequest as error:
        source = refused(error)
    if source is not None:
        # A tool gave it: its client cannot mend it.
        source = replace(source, may_be_left_out=with_links)
        return _image_piece(with_description(raw, place(source)), raw)
    replaced = replace_images(bytes(raw).decode(), place, param=param, with_links=with_links)
    if replaced is None:
        return Piece(raw)
    # Nobody knows a part of another type, with a text in the place of its image.
    return Piece(Raw(replaced.encode())) if kind in _BLOCKS else _image_piece(replaced, raw)


def _result_part(raw: Raw, place: Place, *, param: str) -> Raw:
    """Return a result of a tool with its images replaced, those of its own parts among them."""
    found = False

    def of_result(source: ImageSource) -> str:
        nonlocal found
        found = True
        return place(replace(source, may_be_left_out=True))

    content = _result_decoder.decode(raw).content
    begins = bytes(memoryview(content)[:1])
    if begins != b"[":
        replaced = replace_images(bytes(raw).decode(), of_result, param=param, with_links=True)
        return raw if replaced is None else Raw(replaced.encode())
    pieces = list(
        _part_pieces(
            _raws_decoder.decode(content),
            place=of_result,
            param=f"{param}.content",
            with_links=True,
            within_result=True,
        )
    )
    if not found:
        return raw
    fields: dict[str, Any] = dict(fields_of(raw, _MOST_FIELDS))
    return Raw(_encode({**fields, "content": as_parts(pieces, "text")}))


def new_text(text: str) -> Piece:
    """Return a text that the client did not send."""
    return Piece(Raw(_encode(text)), text, is_new=True)


def _image_piece(text: str, part: Raw | None = None) -> Piece:
    """Return the text that stands in the place of an image, which was that `part` if any."""
    return new_text(text)._replace(is_image=True, part=part)


def joined(pieces: Sequence[Piece]) -> Raw | None:
    """Join texts to one; None where there is something else."""
    if any(piece.text is None for piece in pieces):
        return None
    # As they are written, between their quotes: a text may be tens of megabytes long.
    return Raw(b'"' + rb"\n".join(memoryview(piece.raw)[1:-1] for piece in pieces) + b'"')


def as_parts(pieces: Sequence[Piece], text_type: str) -> list[Raw | dict[str, Any]]:
    """Return the parts that pieces are; what the client sent stays as it was."""
    return [_as_part(piece, text_type) for piece in pieces]


def _as_part(piece: Piece, text_type: str) -> Raw | dict[str, Any]:
    if piece.text is None:
        return piece.raw
    if piece.part is not None and not piece.is_new:
        return piece.part
    fields: dict[str, Any] = {"type": text_type}
    if piece.is_image and piece.cache_control is not None:
        fields["cache_control"] = piece.cache_control
    elif piece.part is not None and not piece.is_image:
        fields = dict(fields_of(piece.part, _MOST_FIELDS))
    return {**fields, "text": piece.raw}

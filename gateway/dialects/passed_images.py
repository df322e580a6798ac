"""The images in one message to a reasoner that sees: found, and written where they were addresses.

Nothing but the parts with such addresses is changed. Images within texts, and within JSON that
tools wrote, stay what they are: a server looks for images in parts.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, field

from gateway.dialects.image_parts import contents_of_part
from gateway.dialects.message_images import RESULT_PARTS, Param, refused
from gateway.dialects.part_descriptions import with_description
from gateway.images.base64_pieces import encode_base64
from gateway.images.loader import Image, ImageSource
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, fields_of, items_of

# What comes in the place of an image: a fetched one, a line of text, or nothing (None), where it
# stays what it was.
Substitute = Image | str | None
Place = Callable[[ImageSource], Substitute]

_NOTHING = Raw(b"null")
_EMPTY = frozenset({b"null", b'""', b"{}", b"[]"})
_MOST_FIELDS = 128
# A document with an image, in a result of a tool, has three lists within each other.
_MOST_LISTS = 4
_TEXT_TYPES = frozenset({"", "text", "input_text", "output_text"})
# Their base64 stands alone, without the head of a data URL.
_ALONE = frozenset({"data", "blob", "b64_json", "base64"})
_encode = msgspec.json.Encoder().encode


class _Message(msgspec.Struct):
    role: Raw = _NOTHING
    content: Raw = _NOTHING
    images: Raw = _NOTHING


class _Part(msgspec.Struct):
    """What tells where the images of a part are. A text may have some beside it."""

    type: Raw = _NOTHING
    content: Raw = _NOTHING
    source: Raw = _NOTHING
    image_url: Raw = _NOTHING
    image_url_in_camel_case: Raw = field(default=_NOTHING, name="imageUrl")
    image: Raw = _NOTHING
    inline_data: Raw = _NOTHING
    inline_data_in_camel_case: Raw = field(default=_NOTHING, name="inlineData")

    @property
    def kind(self) -> str:
        begins = bytes(memoryview(self.type)[:1])
        return _text_decoder.decode(self.type) if begins == b'"' else ""

    @property
    def has_image(self) -> bool:
        images = (self.image_url, self.image_url_in_camel_case, self.image, self.inline_data)
        return any(
            bytes(memoryview(one)[:8]) not in _EMPTY
            for one in (*images, self.inline_data_in_camel_case)
        )


class _Source(msgspec.Struct):
    type: Raw = _NOTHING
    content: Raw = _NOTHING


_message_decoder = msgspec.json.Decoder(_Message)
_part_decoder = msgspec.json.Decoder(_Part)
_source_decoder = msgspec.json.Decoder(_Source)
_text_decoder = msgspec.json.Decoder(str)


class _Walk(NamedTuple):
    """How a message is gone through. `lists`: so many more may stand within each other."""

    place: Place
    text_type: str
    most_parts: int
    lists: int = _MOST_LISTS

    def within_result(self) -> "_Walk":
        def place(source: ImageSource) -> Substitute:
            return self.place(replace(source, may_be_left_out=True))

        return self._replace(place=place)


def pass_images(
    message: Raw,
    place: Place,
    *,
    param: Param,
    text_type: Callable[[bytes], str],
    most_parts: int,
) -> Raw:
    """Return a message with what `place` returns for each of its images, in their order.

    `param` names its fields; `text_type` returns the type of the texts of a role, which is given as
    JSON. Raises InvalidRequest for more parts than `most_parts` in one list, and NotJson.
    """
    try:
        decoded = _message_decoder.decode(message)
    except msgspec.ValidationError:
        return message  # Of no known shape: the server's to refuse.
    walk = _Walk(place, text_type(bytes(memoryview(decoded.role)[:16])), most_parts)
    changed = {
        "images": _images_beside(decoded.images, walk, param("images")),
        "content": _content(decoded.content, walk, param("content")),
    }
    changed = {name: value for name, value in changed.items() if value is not None}
    if not changed:
        return message
    fields = _fields(message, param("content"))
    return Raw(_encode({**fields, **changed}))


def _fields(whole: Raw, param: str) -> dict[str, Raw]:
    try:
        return fields_of(whole, _MOST_FIELDS)
    except TooManyError as error:
        raise InvalidRequest(f"{param}: more fields than {_MOST_FIELDS}", param=param) from error


def _items(listed: Raw, walk: _Walk, param: str) -> list[Raw]:
    try:
        return items_of(listed, walk.most_parts)
    except TooManyError as error:
        raise InvalidRequest(
            f"{param}: more than max_parts = {walk.most_parts}", param=param
        ) from error


def _begins(value: Raw) -> bytes:
    return bytes(memoryview(value)[:1])


def _content(content: Raw, walk: _Walk, param: str) -> Raw | None:
    """Return a list of parts with its images replaced; None where nothing changes."""
    if _begins(content) == b"{":  # One alone may stand without a list.
        return _part(content, walk, param)
    if _begins(content) != b"[":
        return None
    if not walk.lists:
        raise InvalidRequest(f"{param}: more than {_MOST_LISTS} lists of parts deep", param=param)
    walk = walk._replace(lists=walk.lists - 1)
    parts = _items(content, walk, param)
    changed = [_part(part, walk, f"{param}[{at}]") for at, part in enumerate(parts)]
    if all(one is None for one in changed):
        return None
    kept = zip(parts, changed, strict=True)
    return Raw(_encode([part if other is None else other for part, other in kept]))


def _part(part: Raw, walk: _Walk, param: str) -> Raw | None:
    if _begins(part) != b"{":
        return None
    seen = _part_decoder.decode(part)
    kind = seen.kind
    if kind in RESULT_PARTS:
        content = _content(seen.content, walk.within_result(), f"{param}.content")
        return None if content is None else _with(part, {"content": content}, param)
    if kind == "document" and (nested := _nested_parts(seen.source)) is not None:
        content = _content(nested, walk, f"{param}.source.content")
        if content is None:
            return None
        source = _with(seen.source, {"content": content}, param)
        return _with(part, {"source": source}, param)
    if kind.lower() in _TEXT_TYPES:
        if not seen.has_image:
            return None
        kind = "image"
    return _image_part(part, kind, walk, param)


def _nested_parts(source: Raw) -> Raw | None:
    """Return the parts that a document of Anthropic's API is made of, if it is."""
    if _begins(source) != b"{":
        return None
    decoded = _source_decoder.decode(source)
    return decoded.content if bytes(memoryview(decoded.type)[:16]) == b'"content"' else None


def _image_part(part: Raw, kind: str, walk: _Walk, param: str) -> Raw | None:
    substitutes = list(_substitutes(part, kind, walk, param))
    for _, substitute in substitutes:
        if isinstance(substitute, str):
            return _line(part, substitute, walk.text_type, param)
    changed: Raw | None = None
    for path, substitute in substitutes:
        if isinstance(substitute, Image):
            changed = _with_image(part if changed is None else changed, path, substitute, param)
    return changed


def _substitutes(
    part: Raw, kind: str, walk: _Walk, param: str
) -> Iterator[tuple[tuple[str, ...], Substitute]]:
    """Yield what comes in the place of each content of a part, with the path to it.

    All are looked at that hold addresses, for nobody knows which one a server reads.
    """
    try:
        contents = contents_of_part(part, kind, param=param)
    except InvalidRequest as error:
        yield (), walk.place(refused(error))
        return
    for number, (path, source) in enumerate(contents):
        if number == 0 or _may_be_address(source.content):
            yield path, walk.place(source)


def _may_be_address(content: str | bytes) -> bool:
    """Tell whether it has a scheme, of whatever name, other than that of data URLs."""
    head = str(content[:1100]).strip().lower()
    return ":/" in head[:64] and not head.startswith("data:")


def _line(part: Raw, line: str, text_type: str, param: str) -> Raw:
    """Return a text part, which keeps what the image's part said of a prompt's cache."""
    fields: dict[str, Any] = {"type": text_type}
    mark = _fields(part, param).get("cache_control")
    if mark is not None:
        fields["cache_control"] = mark
    return Raw(_encode({**fields, "text": with_description(part, line)}))


def _with(whole: Raw, changed: dict[str, Any], param: str) -> Raw:
    return Raw(_encode({**_fields(whole, param), **changed}))


def _with_image(part: Raw, path: tuple[str, ...], image: Image, param: str) -> Raw:
    """Return a part, or an object within it, with a fetched image in the place of its address."""
    name, *inner = path
    if name == "source" and inner == ["url"]:
        source = _fields(_fields(part, param)[name], param)
        others = {key: value for key, value in source.items() if key != "url"}
        data = {"type": "base64", "media_type": image.media_type, "data": encode_base64(image.data)}
        return _with(part, {name: Raw(_encode({**others, **data}))}, param)
    if inner:
        holder = _fields(part, param)[name]
        return _with(part, {name: _with_image(holder, tuple(inner), image, param)}, param)
    content = encode_base64(image.data) if name in _ALONE else image.data_url()
    if name == "file_url":
        fields = _fields(part, param)
        names = {key: "file_data" if key == name else key for key in fields}
        return Raw(_encode({names[key]: fields[key] for key in fields} | {"file_data": content}))
    return _with(part, {name: content}, param)


def _images_beside(images: Raw, walk: _Walk, param: str) -> Raw | None:
    """Return the images beside the content, with others in the place of those that change.

    One that cannot be seen is left out. None: nothing changes.
    """
    if bytes(memoryview(images)[:8]) in _EMPTY:
        return None
    if _begins(images) != b"[":
        error = InvalidRequest(f"{param}: no list", param=param)
        return None if walk.place(refused(error)) is None else Raw(b"[]")
    items = _items(images, walk, param)
    changed = [_image_beside(one, walk, f"{param}[{at}]") for at, one in enumerate(items)]
    kept = zip(items, changed, strict=True)
    if all(one is None for one in changed):
        return None
    written = [item if other is None else other for item, other in kept]
    return Raw(_encode([one for one in written if not isinstance(one, str)]))


def _image_beside(image: Raw, walk: _Walk, param: str) -> Raw | str | None:
    """Return one in the place of an image; a line where it cannot be seen, None if it stays."""
    if _begins(image) == b"{":
        substitutes = list(_substitutes(image, "image", walk, param))
        line = next((one for _, one in substitutes if isinstance(one, str)), None)
        if line is not None:
            return line
        found = [(path, one) for path, one in substitutes if isinstance(one, Image)]
        changed = image
        for path, one in found:
            changed = _with_image(changed, path, one, param)
        return changed if found else None
    if _begins(image) == b'"':
        source = ImageSource(_text_decoder.decode(image), param=param)
    else:
        why = f"{param}: neither base64 nor an image part"
        source = refused(InvalidRequest(why, param=param))
    substitute = walk.place(source)
    return Raw(_encode(substitute.data_url())) if isinstance(substitute, Image) else substitute

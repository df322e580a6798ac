"""Images within JSON, as tools write it: found and replaced, and all else left as it is."""

import re
from collections.abc import Sequence

import msgspec
from msgspec import Raw

from gateway.dialects.image_parts import Place, image_of_object, image_source
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import TooManyError, fields_of, items_of
from racro.servekit.responses import NotJson

# More than a reasoner's context has room for.
MOST_VALUES = 8192
MOST_DEPTH = 64
# How often JSON may be a string within JSON.
_MOST_NESTED_TEXTS = 2
# Up to this many bytes are searched for the marks; what is longer is gone into.
_SEARCHED_BYTES = 64 * 2**10
# What says of JSON that an image may be in it: the beginning of a media type, or a type such as
# image_url or image, which is no name of a field.
_SAYS_IMAGE = r'image(?:\\?/|_url|-|\\*"(?!\s{0,9}:))'
_IN_TEXT = re.compile(_SAYS_IMAGE)
_IN_BYTES = re.compile(_SAYS_IMAGE.encode())
_LEAST_TEXT = 32
_DATA_URL = re.compile(rb'"data:(?:image|application\\?/pdf)', re.IGNORECASE)
_BASE64_URL = re.compile(r"data:[^,]{0,1000};base64,", re.IGNORECASE)
# What no text has, and every image but the smallest. Only where it begins, so that it is read once.
_LONG_RUN = re.compile(rb"(?<![A-Za-z0-9+/\\])[A-Za-z0-9+/\\]{256}")
_text_decoder = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode


def may_hold_images(text: str) -> bool:
    """Tell, at little cost, whether a text may be JSON with images in it."""
    if text[:64].lstrip()[:1] not in {"{", "["}:
        return False
    return _IN_TEXT.search(text) is not None or "/pdf" in text or "b64_json" in text


def replace_in_json(json: bytes | Raw, place: Place, *, param: str) -> Raw | None:
    """Return a JSON text with what `place` returns for each of its images; None where it has none.

    An image is an object that says it is one, by its type or media type, in the shapes that clients
    send as parts, or a string that is a base64 data URL of one. The object becomes a text part, the
    string the text. It is all the same to JSON that is a string within JSON.

    A text that is no JSON has no images. Raises InvalidRequest, naming `param`, for JSON with
    images that is larger than the gateway goes through.
    """
    walk = _Walk(place, param)
    try:
        return walk.replaced(Raw(json) if isinstance(json, bytes) else json, 0)
    except NotJson:
        return None
    except TooManyError as error:
        if not walk.found and not _has_long_run(memoryview(json)):
            return None
        raise InvalidRequest(
            f"{param}: JSON with images and more than {MOST_VALUES} values or {MOST_DEPTH} levels",
            param=param,
        ) from error


class _Walk:
    """Goes through one JSON text."""

    def __init__(self, place: Place, param: str) -> None:
        self._place = place
        self._param = param
        self._values = 0
        self._texts = 0
        self.found = False

    def replaced(self, json: Raw, depth: int) -> Raw | None:
        """Return a value with its images replaced; None where there are none.

        Raises TooManyError and NotJson.
        """
        view = memoryview(json)
        begins = bytes(view[:1])
        if begins == b'"':
            return self._text(json, view, depth)
        if begins not in {b"{", b"["} or not _may_hold(view):
            return None
        if depth >= MOST_DEPTH:
            raise TooManyError
        return self._object(json, depth) if begins == b"{" else self._array(json, depth)

    def _object(self, json: Raw, depth: int) -> Raw | None:
        if (image := image_of_object(json)) is not None:
            return Raw(_encode({"type": "text", "text": self._seen(image[1])}))
        fields = fields_of(json, MOST_VALUES)
        values = self._each(list(fields.values()), depth)
        return None if values is None else Raw(_encode(dict(zip(fields, values, strict=True))))

    def _array(self, json: Raw, depth: int) -> Raw | None:
        values = self._each(items_of(json, MOST_VALUES), depth)
        return None if values is None else Raw(_encode(values))

    def _each(self, values: Sequence[Raw], depth: int) -> list[Raw] | None:
        self._values += len(values)
        if self._values > MOST_VALUES:
            raise TooManyError
        replaced = [self.replaced(value, depth + 1) for value in values]
        if all(one is None for one in replaced):
            return None
        return [old if new is None else new for old, new in zip(values, replaced, strict=True)]

    def _text(self, json: Raw, view: memoryview, depth: int) -> Raw | None:
        if len(view) < _LEAST_TEXT:
            return None
        if _DATA_URL.match(view):
            url = _text_decoder.decode(json)
            return Raw(_encode(self._seen(url))) if _BASE64_URL.match(url) else None
        if bytes(view[1:2]) not in {b"{", b"["} or self._texts >= _MOST_NESTED_TEXTS:
            return None
        text = _text_decoder.decode(json)
        if not may_hold_images(text):
            return None
        self._texts += 1
        try:
            replaced = self.replaced(Raw(text.encode()), depth + 1)
        except NotJson:
            return None
        finally:
            self._texts -= 1
        return None if replaced is None else Raw(_encode(bytes(replaced).decode()))

    def _seen(self, content: str) -> str:
        self.found = True
        return self._place(image_source(content, param=self._param))


def _may_hold(view: memoryview) -> bool:
    """Tell whether an object or an array may hold an image; a large one always may."""
    if len(view) > _SEARCHED_BYTES:
        return True
    text = bytes(view)
    return _IN_BYTES.search(text) is not None or b"/pdf" in text or b"b64_json" in text


def _has_long_run(view: memoryview) -> bool:
    """Tell whether there may be base64, a piece at a time: no other thread runs meanwhile."""
    step = _SEARCHED_BYTES // 2
    return any(
        _LONG_RUN.search(view[start : start + _SEARCHED_BYTES])
        for start in range(0, len(view), step)
    )

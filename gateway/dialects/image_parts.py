"""The shapes in which clients send pictures and PDFs as parts of a message, whatever the API.

They are those of OpenAI's chat and responses API, Anthropic's messages, Gemini's, the Model Context
Protocol and the AI SDK. Where the base64 of one says its media type beside it, that is not
believed: the loader sniffs.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType, field

from gateway.images.loader import ImageSource
from racro.contracts.errors import InvalidRequest
from racro.servekit.image_types import PDF

# Returns what stands in the place of an image.
Place = Callable[[ImageSource], str]

# A part of one of these types is a picture or a file, or the request is refused.
_SEEN = frozenset(
    {
        "image_url",
        "input_image",
        "image",
        "image_file",
        "image-data",
        "image-url",
        "media",
        "file",
        "input_file",
        "file-data",
        "file-url",
        "document",
        "document_url",
        "computer_screenshot",
        "imageUrl",
    }
)
_VIDEOS = frozenset({"video", "video_url", "input_video"})
# Sources of a document that hold text or parts of their own.
_DOCUMENT_TEXTS = frozenset({"text", "content"})


class _Holder(msgspec.Struct):
    """An object within a part that holds the image, such as OpenAI's `file` or Anthropic's
    `source`.
    """

    type: str | None = None
    url: str | None = None
    data: str | None = None
    file_data: str | None = None
    file_id: str | None = None
    media_type: str | None = None
    mime_type: str | None = None
    mime_type_in_camel_case: str | None = field(default=None, name="mimeType")


class _Part(msgspec.Struct):
    type: str | None = None
    image_url: _Holder | str | None = None
    image_url_in_camel_case: _Holder | str | None = field(default=None, name="imageUrl")
    document_url: _Holder | str | None = None
    source: _Holder | str | None = None
    image: _Holder | str | None = None
    file: _Holder | str | None = None
    inline_data: _Holder | None = None
    inline_data_in_camel_case: _Holder | None = field(default=None, name="inlineData")
    data: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    url: str | None = None
    blob: str | None = None
    b64_json: str | None = None
    base64: str | None = None
    file_id: str | None = None
    text: str | None = None
    document: Raw | UnsetType = UNSET
    media_type: str | None = None
    media_type_in_camel_case: str | None = field(default=None, name="mediaType")
    mime_type: str | None = None
    mime_type_in_camel_case: str | None = field(default=None, name="mimeType")


_HOLDERS = {
    "image_url": "image_url",
    "image_url_in_camel_case": "imageUrl",
    "document_url": "document_url",
    "source": "source",
    "image": "image",
    "file": "file",
    "inline_data": "inline_data",
    "inline_data_in_camel_case": "inlineData",
}
_IN_HOLDERS = ("url", "data", "file_data")
_PLAIN = ("data", "file_data", "file_url", "url", "blob", "b64_json", "base64")
# A part without a type is an image where it has one of these.
_UNTYPED = ("image_url", "imageUrl", "image", "inline_data", "inlineData")
_MEDIA_TYPES = (
    "media_type",
    "media_type_in_camel_case",
    "mime_type",
    "mime_type_in_camel_case",
)
_MEDIA_TYPES_OF_JSON = ("media_type", "mediaType", "mime_type", "mimeType")
# Of image parts within JSON, with what says how they are to be treated.
_PART_FIELDS = frozenset(
    {
        *("type", "id", "source_type", "detail", "filename"),
        *("annotations", "_meta", "cache_control", "providerOptions", "providerMetadata"),
        *_HOLDERS.values(),
        *_PLAIN,
        *_MEDIA_TYPES_OF_JSON,
    }
)
_decoder = msgspec.json.Decoder(_Part)


def image_of_part(part: Raw, kind: str, *, param: str) -> ImageSource | None:
    """Return the image or file of a part of that type ("": none is given); None where it is none.

    Raises InvalidRequest, which names the field, for a part that cannot be seen: a video, a file of
    which there is only the id, or one that says it is an image and has none in a known shape.
    """
    found = contents_of_part(part, kind, param=param)
    return found[0].source if found else None


class PartContent(NamedTuple):
    """An image or file as a part holds it. `path` are the names of the field that it stands in."""

    path: tuple[str, ...]
    source: ImageSource


def contents_of_part(part: Raw, kind: str, *, param: str) -> list[PartContent]:
    """Return all contents of a part that may be its image, of which the first one is.

    The rest is as of `image_of_part`.
    """
    if kind in _VIDEOS:
        raise InvalidRequest(f"{param}: a video cannot be seen; send pictures of it", param=param)
    if kind and kind not in _SEEN:
        return []
    decoded = _decoded(part)
    if decoded is not None:
        if _is_text_document(decoded) or _is_audio(decoded):
            return []
        found = [
            PartContent(tuple(path.split(".")), _source(path, content, param))
            for path, content in _contents(decoded)
            if kind or path.startswith(_UNTYPED)
        ]
        if found:
            return found
    if not kind:
        return []
    raise _nothing_to_see(decoded, kind, param)


def is_image_part(value: object) -> bool:
    """Tell whether an object of JSON is a part with an image, in a shape of those APIs, and has no
    other fields.
    """
    if not isinstance(value, dict) or not value.keys() <= _PART_FIELDS:
        return False
    kind = value.get("type")
    if kind is None:
        return value.keys() in ({"inline_data"}, {"inlineData"})
    media_types = [value[name] for name in _MEDIA_TYPES_OF_JSON if value.get(name)]
    contents = [name for name in (*_HOLDERS.values(), *_PLAIN) if value.get(name) is not None]
    return (
        isinstance(kind, str)
        and kind in _SEEN
        and len(contents) == 1
        and all(
            isinstance(media_type, str) and media_type.lower().startswith(("image/", PDF))
            for media_type in media_types
        )
    )


def _decoded(part: Raw) -> _Part | None:
    try:
        return _decoder.decode(part)
    except msgspec.ValidationError:
        return None


def _is_text_document(part: _Part) -> bool:
    """Tell whether it is text of Anthropic's or Cohere's API, which needs no eyes."""
    if isinstance(part.source, _Holder):
        return part.source.type in _DOCUMENT_TEXTS
    is_document = part.type is not None and part.type.lower() == "document"
    return is_document and (part.text is not None or part.document is not UNSET)


def _is_audio(part: _Part) -> bool:
    media_types = [getattr(part, name) or "" for name in _MEDIA_TYPES]
    return any(media_type.lower().startswith("audio/") for media_type in media_types)


def _contents(part: _Part) -> Iterator[tuple[str, str]]:
    """Yield the fields of a part that may hold an image, and what stands in them."""
    for attribute, name in _HOLDERS.items():
        held = getattr(part, attribute)
        if isinstance(held, _Holder):
            for inner in _IN_HOLDERS:
                if content := getattr(held, inner):
                    yield f"{name}.{inner}", content
        elif held:
            yield name, held
    for name in _PLAIN:
        if content := getattr(part, name):
            yield name, content


def _source(path: str, content: str, param: str) -> ImageSource:
    if path in {"image_url", "image_url.url"}:
        return ImageSource(content, param=f"{param}.image_url")
    return ImageSource(content, param=f"{param}.{path}")


def _nothing_to_see(part: _Part | None, kind: str, param: str) -> InvalidRequest:
    """Return the error for a part that says it is an image or a file, and has none."""
    if kind == "image_url":
        param = f"{param}.image_url"
        return InvalidRequest(f"{param}: an image_url needs a url", param=param)
    if part is not None:
        paths = {"file_id": part.file_id} | {
            f"{name}.file_id": held.file_id
            for name, held in (("source", part.source), ("file", part.file))
            if isinstance(held, _Holder)
        }
        for path, file_id in paths.items():
            if file_id:
                return InvalidRequest(
                    f"{param}.{path}: files are not known here by their ids; send the file itself",
                    param=f"{param}.{path}",
                )
    return InvalidRequest(
        f"{param}: a part of type {kind} without an image or a file in a known shape", param=param
    )

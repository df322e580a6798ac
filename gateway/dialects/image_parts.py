"""The shapes in which clients send pictures and PDFs as parts of a message, whatever the API.

They are those of OpenAI's chat and responses API, Anthropic's messages, Gemini's, the Model Context
Protocol and the AI SDK. Where the base64 of one says its media type beside it, that is not
believed: the loader sniffs.
"""

import re
from collections.abc import Callable, Iterator

import msgspec
from msgspec import Raw, field

from gateway.images.loader import ImageSource
from racro.contracts.errors import InvalidRequest

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
    }
)
# In JSON that a tool wrote, where a file or a document may be anything, these say what they are.
_PICTURES = frozenset({"image_url", "input_image", "image", "image-data", "image-url"})
_LINKS = frozenset({"image_url", "input_image", "image-url"})
_VIDEOS = frozenset({"video", "video_url", "input_video"})
# Sources of a document that hold text or parts of their own.
_DOCUMENT_TEXTS = frozenset({"text", "content"})
_URL = re.compile(r"\s*(?:data:|https?://)", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]{32,256}")
_MOST_CHECKED = 256


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
    file_id: str | None = None
    media_type: str | None = None
    media_type_in_camel_case: str | None = field(default=None, name="mediaType")
    mime_type: str | None = None
    mime_type_in_camel_case: str | None = field(default=None, name="mimeType")


_HOLDERS = {
    "image_url": "image_url",
    "source": "source",
    "image": "image",
    "file": "file",
    "inline_data": "inline_data",
    "inline_data_in_camel_case": "inlineData",
}
_IN_HOLDERS = ("url", "data", "file_data")
_PLAIN = ("data", "file_data", "file_url", "url", "blob", "b64_json")
# A part without a type is an image where it has one of these.
_UNTYPED = ("image_url", "image", "inline_data", "inlineData")
_MEDIA_TYPES = (
    "media_type",
    "media_type_in_camel_case",
    "mime_type",
    "mime_type_in_camel_case",
)
_decoder = msgspec.json.Decoder(_Part)


def image_of_part(part: Raw, kind: str, *, param: str) -> ImageSource | None:
    """Return the image or file of a part of that type ("": none is given); None where it is none.

    Raises InvalidRequest, which names the field, for a part that cannot be seen: a video, a file of
    which there is only the id, or one that says it is an image and has none in a known shape.
    """
    if kind in _VIDEOS:
        raise InvalidRequest(f"{param}: a video cannot be seen; send pictures of it", param=param)
    if kind and kind not in _SEEN:
        return None
    decoded = _decoded(part)
    if decoded is not None:
        if _is_text_document(decoded):
            return None
        for path, content in _contents(decoded):
            if kind or path.startswith(_UNTYPED):
                return _source(path, content, param)
    if not kind:
        return None
    raise _nothing_to_see(decoded, kind, param)


def image_of_object(json: Raw) -> tuple[str, str] | None:
    """Return the field and the content of an image within JSON, the content as `image_source`
    takes it.

    None where the object does not say that it is an image, or has nothing that can be one.
    """
    part = _decoded(json)
    if part is None or not _says_image(part):
        return None
    for path, content in _contents(part):
        may_link = part.type in _LINKS or (part.type == "image" and path == "source.url")
        if _URL.match(content[:_MOST_CHECKED]):
            is_image = may_link or content[:5].lower() == "data:"
        else:
            is_image = _BASE64.fullmatch(content[:_MOST_CHECKED]) is not None
        if is_image:
            return path, content
    return None


def image_source(content: str, *, param: str) -> ImageSource:
    """Return the source of an image that is given as a URL, a data URL, or base64 alone."""
    is_url = _URL.match(content[:_MOST_CHECKED])
    return ImageSource(content if is_url else f"data:;base64,{content}", param=param)


def _decoded(part: Raw) -> _Part | None:
    try:
        return _decoder.decode(part)
    except msgspec.ValidationError:
        return None


def _is_text_document(part: _Part) -> bool:
    return isinstance(part.source, _Holder) and part.source.type in _DOCUMENT_TEXTS


def _says_image(part: _Part) -> bool:
    if part.type in _PICTURES or part.b64_json:
        return True
    holders = [getattr(part, name) for name in _HOLDERS]
    objects = [part, *(holder for holder in holders if isinstance(holder, _Holder))]
    media_types = [getattr(one, name, None) or "" for one in objects for name in _MEDIA_TYPES]
    return any(
        media_type.lower().startswith(("image/", "application/pdf")) for media_type in media_types
    )


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
        # Base64 alone is no URL.
        return ImageSource(content, param=f"{param}.image_url")
    return image_source(content, param=f"{param}.{path}")


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

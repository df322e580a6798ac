"""Requests to `POST /v1/solve` as forms: images as files, everything else as text."""

from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Receive, Scope

from gateway.images.loader import ImageSource
from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.solve_api import SolveOptions
from racro.servekit.validation import parse_fields

_IMAGE = "image"
_MOST_FIELDS = 16


async def read_form(
    scope: Scope, receive: Receive, limits: LimitsSection
) -> tuple[SolveOptions, list[ImageSource]]:
    """Return the options and the images of a form (RFC 7578). Raises InvalidRequest."""
    try:
        form = await Request(scope, receive).form(
            max_fields=_MOST_FIELDS, max_files=limits.max_images
        )
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise InvalidRequest(
                f"image: more than {limits.lists['images']}", param="image"
            ) from error
        raise InvalidRequest(f"the form cannot be read: {error.message}") from error
    try:
        options = _options(form)
        given = [part for part in form.getlist(_IMAGE) if not _is_untouched(part)]
        contents = [await _content(part) for part in given]
    finally:
        await form.close()
    sources = [
        ImageSource(content, param=f"{_IMAGE}[{index}]") for index, content in enumerate(contents)
    ]
    return options, sources


def _options(form: FormData) -> SolveOptions:
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name == _IMAGE:
            continue
        if isinstance(value, UploadFile):
            raise InvalidRequest(f"{name}: only `image` may be a file", param=name)
        if name in fields:
            raise InvalidRequest(f"{name}: is given twice", param=name)
        fields[name] = value
    return parse_fields(SolveOptions, fields)


def _is_untouched(part: UploadFile | str) -> bool:
    """Tell whether a part is what browsers send of an input in which nothing was chosen."""
    return not (part if isinstance(part, str) else part.filename or part.size)


async def _content(part: UploadFile | str) -> str | bytes:
    """Return an image's bytes, or the text that stands for it as in JSON."""
    if isinstance(part, str):
        return _bytes_of_unnamed(part)
    data = await part.read()
    if part.headers.get("content-transfer-encoding", "").strip().lower() == "base64":
        return data.decode("latin-1")
    return data


def _bytes_of_unnamed(text: str) -> str | bytes:
    """Return the bytes of a file without a `filename`, which the parser takes for text.

    Where they are no UTF-8, it makes a character of each. All formats of images have zeros early.
    """
    is_binary = "\0" in text or text.startswith("%PDF-")
    return text.encode("latin-1", errors="replace") if is_binary else text

"""Documents that Anthropic's tool `web_fetch` brought: a text may stand where a PDF did."""

from dataclasses import replace

import msgspec
from msgspec import Raw

from gateway.dialects.image_parts import Place, contents_of_part
from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import fields_of

FETCHED = "web_fetch_tool_result"
_NOTHING = Raw(b"null")
_MOST_FIELDS = 128


class _Holder(msgspec.Struct):
    type: str | None = None
    content: Raw = _NOTHING


_decoder = msgspec.json.Decoder(_Holder)
_encode = msgspec.json.Encoder().encode


def with_fetched_text(block: Raw, place: Place, *, param: str) -> Raw | None:
    """Return a block with what `place` returns as the text of the PDF in it; None where it has no
    PDF, or not this shape.

    Raises TooManyError for very many fields.
    """
    result = _content_of(block)
    document = None if result is None else _content_of(result)
    if result is None or document is None:
        return None
    try:
        contents = contents_of_part(document, "document", param=f"{param}.content.content")
    except InvalidRequest:
        return None
    if not contents or any(path[0] != "source" for path, _ in contents):
        return None
    # A tool gave it: its client cannot mend it.
    text = place(replace(contents[0].source, may_be_left_out=True))
    written = {"type": "text", "media_type": "text/plain", "data": text}
    document = _with(document, "source", Raw(_encode(written)))
    return _with(block, "content", _with(result, "content", document))


def _content_of(whole: Raw) -> Raw | None:
    """Return the content of an object where it is an object with a type."""
    try:
        content = _decoder.decode(whole).content
        is_typed = _decoder.decode(content).type is not None
    except msgspec.ValidationError:
        return None
    return content if is_typed else None


def _with(whole: Raw, name: str, value: Raw) -> Raw:
    return Raw(_encode({**fields_of(whole, _MOST_FIELDS), name: value}))

"""What a part says of its picture or PDF in words, which stays where a caption replaces it."""

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from racro.servekit.responses import NotJson

_NOTHING = Raw(b"null")


class _Named(msgspec.Struct):
    filename: Raw = _NOTHING


class _Described(_Named):
    """`title` and `context` are those of Anthropic's documents, `file` holds OpenAI's of chat."""

    title: Raw = _NOTHING
    context: Raw = _NOTHING
    file: Raw = _NOTHING


_described_decoder = msgspec.json.Decoder(_Described)
_named_decoder = msgspec.json.Decoder(_Named)
_text_decoder = msgspec.json.Decoder(str)


def with_description(part: Raw, text: str) -> str:
    """Return a text that stands in the place of a part, behind what the part says of itself."""
    return "\n".join([*_lines(part), text])


def _lines(part: Raw) -> Iterator[str]:
    if bytes(memoryview(part)[:1]) != b"{":
        return
    described = _described_decoder.decode(part)
    filename = described.filename
    if bytes(memoryview(described.file)[:1]) == b"{" and not _text(filename):
        filename = _named_decoder.decode(described.file).filename
    for name, value in (
        ("File", filename),
        ("Title", described.title),
        ("Context", described.context),
    ):
        if text := _text(value):
            yield f"{name}: {text}"


def _text(value: Raw) -> str:
    """Return a field that is a text; the others are none of these APIs'."""
    if bytes(memoryview(value)[:1]) != b'"':
        return ""
    try:
        return _text_decoder.decode(value).strip()
    except NotJson:
        return ""

"""Halves of surrogate pairs in JSON: Python's json reads and writes them, other parsers do not."""

import json
import re

from msgspec import Raw

from racro.servekit.json_bounds import TooManyError, may_hold_more

# The whole text becomes objects of Python.
_LARGE_BYTES = 2**20
_MANY_VALUES = 10_000
# An escape after the other, so that none begins with the second half of an escaped backslash.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_REPLACEMENT = rb"\ufffd"


def without_lone_surrogates(text: bytes) -> bytes:
    """Return a JSON text with U+FFFD for each half of a surrogate pair that is escaped alone.

    It is the text itself where there are none.
    """
    if not _SURROGATE.search(text):
        return text
    return _ESCAPE.sub(lambda found: _REPLACEMENT if found["lone"] else found[0], text)


def has_lone_surrogates(text: bytes) -> bool:
    """Tell whether a JSON text has half of a surrogate pair, escaped alone."""
    return any(found["lone"] for found in _ESCAPE.finditer(text))


def why_not_json(text: bytes, error: Exception) -> str:
    """Return what is wrong with a text that a parser refused with `error`."""
    if has_lone_surrogates(text):
        return "half of a surrogate pair is escaped alone (\\ud800 to \\udfff): it is no character"
    return str(error)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def fields_with_surrogates(text: bytes, most: int) -> dict[str, Raw]:
    """Return the fields of a small JSON object in which halves of surrogate pairs are escaped.

    Their values are equal to those of the text. Raises TooManyError for more than `most` fields,
    and ValueError or RecursionError for what is no such object.
    """
    if len(text) > _LARGE_BYTES or may_hold_more(text, _MANY_VALUES):
        raise ValueError("too large to be read with halves of surrogate pairs")
    fields = json.loads(text, parse_constant=_refuse)
    if not isinstance(fields, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of a text
    if len(fields) > most:
        raise TooManyError
    return {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}

"""Names halves of surrogate pairs in requests, and reads the fields of those that have some."""

import json

from msgspec import Raw

from racro.base.lone_surrogates import has_lone_surrogates
from racro.servekit.json_bounds import TooManyError, may_hold_more

# The whole text becomes objects of Python.
_LARGE_BYTES = 2**20
_MANY_VALUES = 10_000


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

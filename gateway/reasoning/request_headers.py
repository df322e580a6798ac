"""Headers of a request to a reasoner, beside those that every request to it has."""

from collections.abc import Iterable

_MESSAGES = "/messages"
# What a client of Anthropic's API says of the features that it uses. The values of several headers
# of one name are one list.
_PASSED_ON = ("anthropic-version", "anthropic-beta")
_KEY_HEADER = "x-api-key"


def key_headers(path: str, api_key: str | None) -> dict[str, str]:
    """Return the headers that hold a server's API key beside `Authorization: Bearer`.

    Of servers of Anthropic's API some read the one alone (vLLM), some the other.
    """
    return {_KEY_HEADER: api_key} if api_key and path.startswith(_MESSAGES) else {}


def anthropic_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return those of a client's headers that a server of Anthropic's API is to have."""
    given = list(headers)
    found = {}
    for name in _PASSED_ON:
        values = [value.decode("latin-1") for key, value in given if key == name.encode()]
        if joined := ", ".join(value for value in values if _is_plain(value)):
            found[name] = joined
    return found


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable()

"""Images as text: data URLs in every spelling that clients send, and base64 alone."""

import re

from gateway.images.base64_pieces import decode_base64
from gateway.images.text_repair import mend, restore_plus, to_bytes, unescape, unquoted
from racro.contracts.errors import InvalidImage

# A file's name in it may be of 255 characters, each of them three bytes, percent-encoded.
_LONGEST_HEADER = 4096
_SCHEME = r"\s*+(?P<scheme>data(?::|%3a))?"
# Up to the comma behind the word base64, which is percent-encoded where the whole URL is: a name
# may have others. Not an SVG, in which there may be a data URL.
_BASE64_HEADER = re.compile(
    _SCHEME + r"(?:(?:[^<%]|%(?!3c))*?(?:;|%3b))?\s*+base64\s*+"
    r'(?:(?:;|%3b)(?:[^,%"]|%(?!2c)|"[^"]*"){0,300}+)?(?:,|%2c)',
    re.IGNORECASE,
)
# Up to a comma; those in quotes are a name's.
_OTHER_HEADERS = (
    re.compile(_SCHEME + r'(?:[^,%"]|%(?!2c)|"[^"]*")*+(?:,|%2c)', re.IGNORECASE),
    re.compile(_SCHEME + r"(?:[^,%]|%(?!2c))*+(?:,|%2c)", re.IGNORECASE),
)
_ESCAPED_TWICE = re.compile("data%25", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"\s*(?!(?:https?|data):)([a-z][a-z0-9+-]{1,20}):", re.IGNORECASE)
_NO_SCHEME = re.compile(r"\s*//")
_EXPECTED = (
    "expected a base64 data URL (data:image/png;base64,…), an http(s) URL, or base64 of an image"
)


def decode_image_text(text: str, *, param: str) -> bytes:
    """Return the bytes of a data URL (RFC 2397), whatever media type it claims, or of base64 alone.

    A data URL is base64 where it says so, and where it forgot to: no image consists of base64's
    characters alone. Raises InvalidImage, with `param` as the client's field.
    """
    text = unquoted(text)
    if _ESCAPED_TWICE.match(text):
        text, _ = unescape(text, 0)
    header = _header(text)
    if header is None:
        return _decode_alone(text, param=param)
    try:
        return _decode_base64(text, header.end())
    except ValueError as error:
        if header.re is _BASE64_HEADER:
            raise InvalidImage("the data URL is not valid base64", param=param) from error
    try:
        return to_bytes(*unescape(text, header.end()))
    except ValueError as error:
        raise InvalidImage(f"the data URL is broken: {error}", param=param) from error


def _decode_base64(text: str, start: int) -> bytes:
    """Decode base64 as it stands or, where that is none, mended. Raises ValueError."""
    try:
        return decode_base64(*restore_plus(*unescape(text, start)))
    except ValueError:
        return decode_base64(mend(text, start))


def _decode_alone(text: str, *, param: str) -> bytes:
    try:
        data = _decode_base64(text, 0)
    except ValueError as error:
        raise unexpected(text, param=param) from error
    if not data:
        raise unexpected(text, param=param)
    return data


def unexpected(text: str, *, param: str) -> InvalidImage:
    """Return the error for a text that is no image, nor a URL of one that is fetched."""
    if found := _OTHER_SCHEME.match(text[:64]):
        return InvalidImage(f"{found[1].lower()}: URLs are not fetched; {_EXPECTED}", param=param)
    if _NO_SCHEME.match(text[:64]):
        return InvalidImage(f"the URL has no scheme; {_EXPECTED}", param=param)
    return InvalidImage(_EXPECTED, param=param)


def is_base64_alone(text: str) -> bool:
    """Tell whether a text has no header of a data URL, so that nothing says that it is an image."""
    return _header(unquoted(text)) is None


def _header(text: str) -> re.Match[str] | None:
    """Return what comes before the data of a data URL, which some clients begin behind "data:".

    Some put one before another.
    """
    window = text[:_LONGEST_HEADER]
    if last := _BASE64_HEADER.match(window):
        while (following := _BASE64_HEADER.match(window, last.end())) and following["scheme"]:
            last = following
        return last
    found = (header.match(window) for header in _OTHER_HEADERS)
    return next((match for match in found if match and match["scheme"]), None)

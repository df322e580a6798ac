"""Images as text: data URLs in every spelling that clients send, and base64 alone."""

import binascii
import re
from urllib.parse import unquote

from gateway.images.base64_pieces import decode_base64
from racro.contracts.errors import InvalidImage

# A file's name in it may be of 255 characters, each of them three bytes, percent-encoded.
_LONGEST_HEADER = 4096
# Up to the comma, which is percent-encoded where the whole URL is. Those in quotes are a name's.
_HEADERS = (
    re.compile(
        r'\s*+(?P<scheme>data(?::|%3a))?(?P<fields>(?:[^,%"]|%(?!2c)|"[^"]*")*+)(?:,|%2c)',
        re.IGNORECASE,
    ),
    re.compile(
        r"\s*+(?P<scheme>data(?::|%3a))?(?P<fields>(?:[^,%]|%(?!2c))*+)(?:,|%2c)", re.IGNORECASE
    ),
)
_OTHER_SCHEME = re.compile(r"\s*(?!(?:https?|data):)([a-z][a-z0-9+-]{1,20}):", re.IGNORECASE)
_NO_SCHEME = re.compile(r"\s*//")
_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# The interpreter's lock is held for one piece: some milliseconds.
_PIECE_CHARACTERS = 2**18
# In one piece; each costs as much as a hundred characters.
_MOST_STRAY = 1000
_EXPECTED = (
    "expected a base64 data URL (data:image/png;base64,…), an http(s) URL, or base64 of an image"
)


def decode_image_text(text: str, *, param: str) -> bytes:
    """Return the bytes of a data URL (RFC 2397), whatever media type it claims, or of base64 alone.

    A data URL is base64 where it says so, and where it forgot to: no image consists of base64's
    characters alone. Raises InvalidImage, with `param` as the client's field.
    """
    header = _header(text)
    if header is None:
        return _decode_alone(text, param=param)
    try:
        payload, start = _unescaped(text, header.end())
    except ValueError as error:
        raise InvalidImage(f"the data URL is broken: {error}", param=param) from error
    try:
        return decode_base64(payload, start)
    except ValueError as error:
        if _says_base64(header):
            raise InvalidImage("the data URL is not valid base64", param=param) from error
    pieces = range(start, len(payload), _PIECE_CHARACTERS)
    return b"".join(_latin_1(payload[at : at + _PIECE_CHARACTERS]) for at in pieces)


def _decode_alone(text: str, *, param: str) -> bytes:
    try:
        data = decode_base64(*_unescaped(text, 0))
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
    return _header(text) is None


def _header(text: str) -> re.Match[str] | None:
    """Return what comes before the data of a data URL, which some clients begin behind "data:"."""
    window = text[:_LONGEST_HEADER]
    found = (header.match(window) for header in _HEADERS)
    first = next((match for match in found if match), None)
    return first if first and (first["scheme"] or _says_base64(first)) else None


def _says_base64(header: re.Match[str]) -> bool:
    fields = unquote(header["fields"]).split(";")
    return any(field.strip().lower() == "base64" for field in fields)


def _latin_1(text: str) -> bytes:
    """Return a byte for each character; others than those of bytes make no image."""
    return text.encode("latin-1", errors="replace")


def _unescaped(text: str, start: int) -> tuple[str, int]:
    """Return a text that is not percent-encoded any more, a byte a character, and where it starts.

    Raises ValueError where many percent signs are no escapes; few stay as they are.
    """
    if text.find("%", start) < 0:
        return text, start
    decoded, left = bytearray(), b""
    for at in range(start, len(text), _PIECE_CHARACTERS):
        piece = left + _latin_1(text[at : at + _PIECE_CHARACTERS])
        cut = piece.rfind(b"%", -2)
        is_last = at + _PIECE_CHARACTERS >= len(text)
        piece, left = (piece, b"") if is_last or cut < 0 else (piece[:cut], piece[cut:])
        piece, stray = _NO_ESCAPE.subn(b"%25", piece, count=_MOST_STRAY)
        if stray == _MOST_STRAY:
            raise ValueError("many of its percent signs are no escapes")
        # Quoted-printable is the same with another sign, and has a decoder in C.
        decoded += binascii.a2b_qp(piece.replace(b"=", b"=3D").replace(b"%", b"="))
    return decoded.decode("latin-1"), 0

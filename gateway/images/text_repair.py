"""Undoes what forms, JSON, web pages and people do to a base64 text, a piece at a time.

The interpreter's lock is held for one piece: some milliseconds.
"""

import binascii
import re
from collections.abc import Iterator

_PIECE_CHARACTERS = 2**18
_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# In one piece; each costs as much as a hundred characters.
_MOST_STRAY = 1000
_MOST_TIMES_ESCAPED = 2
# Marks of width zero that copies of web pages and mails have: not white space to Python.
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_AROUND = INVISIBLE + "".join(filter(str.isspace, map(chr, range(0x3001))))
QUOTES = "\"'`<\u201c"
_END_QUOTES = dict(zip(QUOTES, "\"'`>\u201d", strict=True))
# What JSON in JSON leaves of line breaks and signs.
_ESCAPED = {"\\n": "", "\\r": "", "\\t": "", "\\/": "/"} | {
    f"\\u00{ord(sign):{case}}": sign for sign in "+/=" for case in "xX"
}
_LONGEST_ESCAPE = 6
_JUDGED = 4096
_LINE_END = re.compile(r"[\t\n\v\f\r]")


def unquoted(text: str) -> str:
    """Return a text without the white space and the quotation marks around it."""
    text = text.strip(_AROUND)
    end = _END_QUOTES.get(text[:1])
    return text[1:-1].strip(_AROUND) if end and text.endswith(end, 1) else text


def to_bytes(text: str, start: int) -> bytes:
    """Return a byte for each character; others than those of bytes make no image."""
    return b"".join(_latin_1(piece) for piece in _pieces(text, start, len(text)))


def unescape(text: str, start: int) -> tuple[str, int]:
    """Return a text that is not percent-encoded any more, a byte a character, and where it starts.

    Raises ValueError where many percent signs are no escapes; few stay as they are.
    """
    if text.find("%", start) < 0:
        return text, start
    decoded = bytearray()
    for part in _pieces(text, start, len(text)):
        piece, stray = _NO_ESCAPE.subn(b"%25", _latin_1(part), count=_MOST_STRAY)
        if stray == _MOST_STRAY:
            raise ValueError("many of its percent signs are no escapes")
        # Quoted-printable is the same with another sign, and has a decoder in C.
        decoded += binascii.a2b_qp(piece.replace(b"=", b"=3D").replace(b"%", b"="))
    return decoded.decode("latin-1"), 0


def mend(text: str, start: int) -> str:
    """Return base64 without a URL's fragment, characters nobody sees, and escapes in escapes.

    Raises ValueError as `unescape` does.
    """
    fragment = text.find("#", start)
    end = len(text) if fragment < 0 else fragment
    mended = "".join(_mend_piece(piece) for piece in _pieces(text, start, end))
    for _ in range(_MOST_TIMES_ESCAPED):
        mended, _ = unescape(mended, 0)
    return unquoted(mended)


def restore_plus(text: str, start: int) -> tuple[str, int]:
    """Return base64 with the plus signs of which forms made spaces, and where it starts.

    Where those are the line breaks of a text, all lines but the last are of one length. And base64
    is made of fours: without the plus signs it would seldom be.
    """
    if text.find(" ", start) < 0:
        return text, start
    body = text[start:].strip()
    first = body.find(" ")
    *lines, cut = map(len, body[first + 1 : 2 * first + _JUDGED].split(" "))
    in_lines = cut <= first and all(line == first for line in lines)
    if in_lines or len(body) % 4 or _LINE_END.search(body, 0, _JUDGED):
        return text, start
    return body.replace(" ", "+"), 0


def _latin_1(text: str) -> bytes:
    return text.encode("latin-1", errors="replace")


def _mend_piece(piece: str) -> str:
    for escaped, sign in _ESCAPED.items():
        piece = piece.replace(escaped, sign)
    for mark in INVISIBLE:
        piece = piece.replace(mark, "")
    return "".join(piece.split())


def _pieces(text: str, start: int, end: int) -> Iterator[str]:
    """Yield a text in pieces, none of which ends within an escape."""
    left = ""
    for at in range(start, end, _PIECE_CHARACTERS):
        piece = left + text[at : min(at + _PIECE_CHARACTERS, end)]
        cut = max(piece.rfind("%", -2), piece.rfind("\\", 1 - _LONGEST_ESCAPE))
        is_last = at + _PIECE_CHARACTERS >= end
        piece, left = (piece, "") if is_last or cut < 0 else (piece[:cut], piece[cut:])
        yield piece

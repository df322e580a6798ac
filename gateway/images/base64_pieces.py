"""Base64 of whole images, a piece at a time.

A thread that converts 20 MB in one call holds the interpreter's lock for all of that time, and the
event loop with it.
"""

import pybase64

# Three of their bytes make four characters: the piece sizes are multiples of both.
_PIECE_CHARACTERS = 2**20
_PIECE_BYTES = _PIECE_CHARACTERS // 4 * 3
_WHITESPACE = b" \t\n\r\v\f"
# What may stand behind the last character: padding, however much, and ends of lines.
_END = "=" + _WHITESPACE.decode()
_TAIL_CHARACTERS = 1024
# RFC 4648's second alphabet, for URLs and file names, in characters of the first one.
_STANDARD = bytes.maketrans(b"-_", b"+/")


def encode_base64(data: bytes, prefix: str = "") -> str:
    """Return the base64 of `data` behind a prefix, of which there is no copy without it."""
    pieces = memoryview(data)
    encoded = (
        pybase64.b64encode_as_string(pieces[at : at + _PIECE_BYTES])
        for at in range(0, len(data), _PIECE_BYTES)
    )
    return "".join((prefix, *encoded))


def decode_base64(text: str, start: int = 0) -> bytes:
    """Return the bytes of the base64 in `text` from `start` on. Raises ValueError.

    Some encoders break lines, use the alphabet for URLs, or leave the padding off; anything else is
    broken.
    """
    decoded, left = [], b""
    end = max(start, _end(text))
    for at in range(start, end, _PIECE_CHARACTERS):
        piece = left + text[at : min(at + _PIECE_CHARACTERS, end)].encode("ascii")
        groups, left = _groups(piece)
        try:
            decoded.append(_decode_groups(groups))
        except ValueError:
            groups, left = _groups(piece.translate(_STANDARD, _WHITESPACE))
            decoded.append(_decode_groups(groups))
    if last := left.translate(_STANDARD, _WHITESPACE):
        decoded.append(_decode_groups(last + b"=" * (-len(last) % 4), padded=True))
    return decoded[0] if len(decoded) == 1 else b"".join(decoded)


def _end(text: str) -> int:
    """Return where the padding begins, without a copy of a whole image."""
    tail = text[-_TAIL_CHARACTERS:]
    kept = len(tail.rstrip(_END))
    return len(text) - len(tail) + kept if kept else len(text.rstrip(_END))


def _groups(piece: bytes) -> tuple[bytes, bytes]:
    """Return the whole groups of four characters, and what belongs to the next piece."""
    whole = len(piece) - len(piece) % 4
    return piece[:whole], piece[whole:]


def _decode_groups(groups: bytes, *, padded: bool = False) -> bytes:
    if not padded and groups.endswith(b"="):
        raise ValueError("something comes after the padding")
    return pybase64.b64decode(groups, validate=True)

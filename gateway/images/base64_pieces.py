"""Base64 of whole images, a piece at a time.

A thread that converts 20 MB in one call holds the interpreter's lock for all of that time, and the
event loop with it.
"""

import pybase64

# Three of their bytes make four characters: the piece sizes are multiples of both.
_PIECE_CHARACTERS = 2**20
_PIECE_BYTES = _PIECE_CHARACTERS // 4 * 3
_WHITESPACE = b" \t\n\r\v\f"
_BEHIND = "something comes after the padding"


def encode_base64(data: bytes) -> str:
    if len(data) <= _PIECE_BYTES:
        return pybase64.b64encode_as_string(data)
    pieces = memoryview(data)
    return "".join(
        pybase64.b64encode_as_string(pieces[at : at + _PIECE_BYTES])
        for at in range(0, len(data), _PIECE_BYTES)
    )


def decode_base64(text: str, start: int = 0) -> bytes:
    """Return the bytes of the base64 in `text` from `start` on. Raises ValueError.

    Some encoders break lines, some leave the padding off; anything else is broken.
    """
    decoded, left, is_ended = [], b"", False
    for at in range(start, len(text), _PIECE_CHARACTERS):
        piece = left + text[at : at + _PIECE_CHARACTERS].encode("ascii")
        if is_ended and piece.translate(None, _WHITESPACE):
            raise ValueError(_BEHIND)
        groups, left = _groups(piece)
        try:
            decoded.append(pybase64.b64decode(groups, validate=True))
        except ValueError:
            groups, left = _groups(piece.translate(None, _WHITESPACE))
            decoded.append(pybase64.b64decode(groups, validate=True))
        is_ended = is_ended or groups.endswith(b"=")
    if last := left.translate(None, _WHITESPACE):
        if is_ended:
            raise ValueError(_BEHIND)
        decoded.append(pybase64.b64decode(last + b"=" * (-len(last) % 4), validate=True))
    return decoded[0] if len(decoded) == 1 else b"".join(decoded)


def _groups(piece: bytes) -> tuple[bytes, bytes]:
    """Return the whole groups of four characters, and what belongs to the next piece."""
    whole = len(piece) - len(piece) % 4
    return piece[:whole], piece[whole:]

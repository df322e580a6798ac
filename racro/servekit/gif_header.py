"""Reads the header of a GIF (GIF89a, sections 18 to 24), up to its first frame."""

import struct

from racro.base.size import Size

_SCREEN_AT, _FLAGS_AT, _HEADER = 6, 10, 13
_EXTENSION, _FRAME = 0x21, 0x2C
MOST_BLOCKS = 100_000


def gif_size(data: bytes) -> Size:
    """Return the size of the screen; where it has none, how far the first frame reaches.

    Raises ValueError for more than MOST_BLOCKS before that frame, IndexError and struct.error.
    """
    width, height = struct.unpack_from("<HH", data, _SCREEN_AT)
    if width and height:
        return width, height
    left, top, width, height = struct.unpack_from("<4H", data, first_frame(data) + 1)
    return left + width, top + height


def first_frame(data: bytes) -> int:
    """Return where the first frame begins. Raises ValueError and IndexError, as `gif_size` does."""
    flags, at = data[_FLAGS_AT], _HEADER
    if flags & 0x80:
        at += 3 * 2 ** ((flags & 7) + 1)
    # Within an extension are blocks, each with its length before it, up to an empty one.
    is_within = False
    for _ in range(MOST_BLOCKS):
        byte = data[at]
        if is_within:
            at += byte + 1
            is_within = byte > 0
        elif byte == _FRAME:
            return at
        else:
            is_within = byte == _EXTENSION
            at += 2 if is_within else 1
    raise ValueError("there are too many blocks before the first frame")

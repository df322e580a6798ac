"""GIF files whose screens, frames and codes do not agree."""

import functools
import struct

from PIL import Image

from support.diagrams import noise
from support.pictures import encoded

_ONE_BLACK_PIXEL = b"\x02\x02\x44\x01\x00"
_TRAILER = b"\x3b"


def _screen(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"


def _frame(width: int, height: int) -> bytes:
    """Return a frame with the code of one pixel, whatever size it declares."""
    return b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + _ONE_BLACK_PIXEL


def frame_on_screen(frame: tuple[int, int], screen: tuple[int, int], *, frames: int = 1) -> bytes:
    return _screen(*screen) + _frame(*frame) * frames + _TRAILER


@functools.cache
def flat(width: int, height: int) -> bytes:
    """Return a whole picture of one colour: LZW at its densest, about 1 : 2,000."""
    return encoded(Image.new("P", (width, height)), "GIF")


def cut_short() -> list[bytes]:
    """Return a small GIF, ended at ten places before its last pixel."""
    whole = noise(1, "GIF")
    return [whole[: len(whole) * tenth // 11] for tenth in range(1, 11)]


def before_png() -> bytes:
    """Return a PNG behind the signature of a GIF."""
    return b"GIF89a" + noise(1)

"""WebP files whose few bytes stand for the largest canvases there are."""

import struct

from support.diagrams import noise

# One symbol for each of the five Huffman codes of VP8L, so that no pixel takes a bit: no transform,
# no colour cache, no meta codes, then five times "simple, one symbol, of one bit, which is 0".
_ALL_ALIKE = int("0001" * 5 + "000", 2).to_bytes(3, "little")
_HAS_ALPHA, _IS_ANIMATED = 0x10, 0x02


def riff(*chunks: bytes) -> bytes:
    content = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _lossless(width: int, height: int, pixels: bytes = _ALL_ALIKE) -> bytes:
    sides = (width - 1) | (height - 1) << 14 | 1 << 28
    return _chunk(b"VP8L", b"\x2f" + struct.pack("<I", sides) + pixels)


def _canvas(width: int, height: int, flags: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)


def lossless(width: int, height: int) -> bytes:
    """Return a valid picture of one colour, in 28 bytes."""
    return riff(_lossless(width, height))


def lossless_header(width: int, height: int) -> bytes:
    """Return a header of a picture that ends with its first pixels: 34 bytes."""
    return riff(_lossless(width, height, bytes(9)))


def lossy_header(width: int, height: int) -> bytes:
    """Return the header of a key frame whose pixels are zeros."""
    frame = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return riff(_chunk(b"VP8 ", frame + bytes(64)))


def small_on_canvas(width: int, height: int) -> bytes:
    """Return an extended file whose canvas is that large, and its only picture a pixel."""
    return riff(_canvas(width, height, _HAS_ALPHA), _lossless(1, 1))


def animated(width: int, height: int, *, frames: int) -> bytes:
    """Return an animation on a canvas that large, whose frames are a pixel each."""
    place = bytes(6) + bytes(6) + (10).to_bytes(3, "little") + b"\0"
    frame = _chunk(b"ANMF", place + _lossless(1, 1))
    return riff(
        _canvas(width, height, _HAS_ALPHA | _IS_ANIMATED),
        _chunk(b"ANIM", bytes(6)),
        *[frame] * frames,
    )


def cut_short() -> list[bytes]:
    """Return a small WebP file, ended at ten places before its last pixel."""
    whole = noise(1, "WEBP")
    return [whole[: len(whole) * tenth // 11] for tenth in range(1, 11)]

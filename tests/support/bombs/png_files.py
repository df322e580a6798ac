"""PNG files that declare or unpack to much more than they have bytes."""

import functools
import struct
import zlib
from collections.abc import Sequence
from itertools import accumulate

from support.diagrams import noise

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, RGBA = 0, 2, 3, 6
_CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, RGBA: 4}
_PIECE = 2**20
# Of Adam7: the first column and row of each pass, and the steps from one to the next.
PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


@functools.cache
def deflated_zeros(size: int) -> bytes:
    """Return the zlib stream of `size` zeros (bytes), a thousandth as long.

    A piece that ends with a full flush depends on nothing before it and may be repeated.
    """
    pieces, rest = divmod(size, _PIECE)
    # Of zeros, the first sum of Adler-32 stays 1, and the second counts them.
    checksum = struct.pack(">I", size % 65521 << 16 | 1)
    return b"\x78\x9c" + _flushed(_PIECE) * pieces + _flushed(rest) + b"\x03\x00" + checksum


def _flushed(size: int) -> bytes:
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return deflate.compress(bytes(size)) + deflate.flush(zlib.Z_FULL_FLUSH)


def header(
    width: int, height: int, *, depth: int = 8, color: int = RGB, interlaced: bool = False
) -> bytes:
    """Return the signature and the IHDR chunk; `depth` is in bits a channel."""
    return SIGNATURE + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    )


def black(
    width: int,
    height: int,
    *,
    depth: int = 8,
    color: int = RGB,
    interlaced: bool = False,
    more: bytes = b"",
) -> bytes:
    """Return a whole PNG whose pixels are zeros, with the chunks `more` before them."""
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    size = sum(
        _bytes_of(
            -(-(width - left) // step), -(-(height - top) // row_step), depth * _CHANNELS[color]
        )
        for left, top, step, row_step in passes
    )
    start = header(width, height, depth=depth, color=color, interlaced=interlaced)
    return start + more + chunk(b"IDAT", deflated_zeros(size)) + chunk(b"IEND")


def _bytes_of(width: int, height: int, bits: int) -> int:
    """Return the bytes of so many pixels, each row with the number of its filter."""
    return height * (1 + (width * bits + 7) // 8) if width and height else 0


def declaring(width: int, height: int) -> bytes:
    """Return a PNG of that size whose pixels end with the first kilobyte."""
    return header(width, height) + chunk(b"IDAT", deflated_zeros(1024)) + chunk(b"IEND")


def palette(*, transparent: int = 256) -> bytes:
    """Return the chunks of 256 colours, the first of them transparent."""
    return chunk(b"PLTE", bytes(range(256)) * 3) + chunk(b"tRNS", bytes(transparent))


def inflating(size: int) -> bytes:
    """Return 8x8 pixels whose IDAT chunk unpacks to `size` bytes."""
    return header(8, 8) + chunk(b"IDAT", deflated_zeros(size)) + chunk(b"IEND")


def compressed_text(size: int) -> bytes:
    """Return a zTXt chunk that unpacks to `size` bytes."""
    return chunk(b"zTXt", b"Comment\0\0" + deflated_zeros(size))


def compressed_utf8_text(size: int) -> bytes:
    """Return an iTXt chunk that unpacks to `size` bytes."""
    return chunk(b"iTXt", b"Comment\0\1\0\0\0" + deflated_zeros(size))


def color_profile(size: int) -> bytes:
    """Return an iCCP chunk that unpacks to `size` bytes."""
    return chunk(b"iCCP", b"profile\0\0" + deflated_zeros(size))


def animated(width: int, height: int, *, frames: int) -> bytes:
    """Return an APNG of so many whole frames."""
    pixels = deflated_zeros(_bytes_of(width, height, 24))
    numbers = iter(range(2 * frames))

    def control() -> bytes:
        fields = struct.pack(">IIIIIHHBB", next(numbers), width, height, 0, 0, 1, 10, 0, 0)
        return chunk(b"fcTL", fields)

    later = (
        control() + chunk(b"fdAT", struct.pack(">I", next(numbers)) + pixels)
        for _ in range(frames - 1)
    )
    start = header(width, height) + chunk(b"acTL", struct.pack(">II", frames, 0))
    return start + control() + chunk(b"IDAT", pixels) + b"".join(later) + chunk(b"IEND")


def chunks(data: bytes) -> list[bytes]:
    """Return the parts of a whole PNG: its signature, then each chunk."""
    parts, at = [data[:8]], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        parts.append(data[at:end])
        at = end
    return parts


def small() -> bytes:
    """Return a small PNG whose pixels are spread over many IDAT chunks."""
    parts = chunks(noise(1))
    pixels = b"".join(part[8:-4] for part in parts if part[4:8] == b"IDAT")
    spread = (chunk(b"IDAT", pixels[at : at + 100]) for at in range(0, len(pixels), 100))
    return header(16, 16) + b"".join(spread) + chunk(b"IEND")


def cut_short() -> Sequence[bytes]:
    """Return the small PNG, ended at each boundary of chunks before its last pixel."""
    return list(accumulate(chunks(small())))[:-2]


def with_wrong_checksum(of: bytes) -> bytes:
    """Return the small PNG; the checksum of its first chunk of that kind is damaged."""
    parts = chunks(small())
    at = next(index for index, part in enumerate(parts) if part[4:8] == of)
    parts[at] = parts[at][:-1] + bytes([parts[at][-1] ^ 1])
    return b"".join(parts)


def without_pixels() -> bytes:
    return header(16, 16) + chunk(b"IEND")

"""AVIF, HEIC and JPEG 2000 files that declare or decode to much more than they have bytes."""

import functools
import struct

from PIL import Image

from support.diagrams import noise
from support.pictures import encoded

_SIZ = b"\xff\x51"


@functools.cache
def avif(width: int, height: int, mode: str = "RGB") -> bytes:
    return encoded(Image.new(mode, (width, height)), "AVIF", speed=10)


def avif_declaring(data: bytes, width: int, height: int) -> bytes:
    """Return an AVIF whose property says another size than its codec."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@functools.cache
def avif_frames(number: int) -> bytes:
    frames = [Image.new("RGB", (64, 64), (index % 256, 0, 0)) for index in range(number)]
    return encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:], speed=10)


def endless_boxes(number: int) -> bytes:
    """Return a file of so many empty boxes behind its brands."""
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"avif", 0, b"mif1") + b"\0\0\0\x08free" * number


@functools.cache
def jp2(width: int, height: int, mode: str = "RGB", *, tile: int = 0) -> bytes:
    """Return black pixels, in square tiles of that side where it is given."""
    tiles = {"tile_size": (tile, tile)} if tile else {}
    return encoded(Image.new(mode, (width, height)), "JPEG2000", **tiles)


def codestream_declaring(width: int, height: int, *, tile: int | None = None) -> bytes:
    """Return a small image whose codestream declares another size, in tiles of that side."""
    data = encoded(Image.new("RGB", (16, 16)), "JPEG2000", no_jp2=True)
    at = data.index(_SIZ) + 6
    sizes = struct.pack(">4I", width, height, 0, 0)
    tiles = struct.pack(">2I", tile or width, tile or height)
    return data[:at] + sizes + tiles + data[at + 24 :]


def jp2_declaring(width: int, height: int) -> bytes:
    """Return a file whose header declares one size and its codestream 16x16."""
    data = noise(1, "JPEG2000")
    at = data.index(b"ihdr") + 4
    return data[:at] + struct.pack(">II", height, width) + data[at + 8 :]


def many_components(number: int) -> bytes:
    """Return a codestream of 2,000x2,000 pixels that declares so many components."""
    data = codestream_declaring(2_000, 2_000)
    at = data.index(_SIZ) + 2
    (length,) = struct.unpack_from(">H", data, at)
    size = data[at + 2 : at + 36] + struct.pack(">H", number) + b"\x07\x01\x01" * number
    return data[:at] + struct.pack(">H", len(size) + 2) + size + data[at + length :]

"""Icons and bitmaps whose directories and run lengths promise more than they have bytes."""

import struct

from PIL import Image

from support.bombs import png_files
from support.diagrams import noise
from support.pictures import encoded

_RLE8 = 1


def _icon(images: list[tuple[int, bytes]]) -> bytes:
    """Return an icon of images with the side that each declares, 0 for 256."""
    begin = 6 + 16 * len(images)
    entries, contents = [], []
    for side, content in images:
        entry = struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(content), begin)
        begin += len(content)
        entries.append(entry)
        contents.append(content)
    return struct.pack("<HHH", 0, 1, len(images)) + b"".join(entries) + b"".join(contents)


def many_images(number: int) -> bytes:
    """Return an icon of so many entries, all of the same image."""
    content = noise(1)
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(content), 6 + 16 * number)
    return struct.pack("<HHH", 0, 1, number) + entry * number + content


def many_declared_images() -> bytes:
    """Return an icon that declares 65,535 images and has one."""
    icon = _icon([(16, noise(1))])
    return icon[:4] + b"\xff\xff" + icon[6:]


def large_within(width: int, height: int) -> bytes:
    """Return an icon of 256 pixels a side whose image is a black PNG of another size."""
    return _icon([(0, png_files.black(width, height))])


def with_inflating_text(size: int) -> bytes:
    """Return an icon whose PNG has a text that unpacks to so many bytes."""
    return _icon([(8, png_files.black(8, 8, more=png_files.compressed_text(size)))])


def bmp_declaring(width: int, height: int) -> bytes:
    small = encoded(Image.new("RGB", (8, 8)), "BMP")
    return small[:18] + struct.pack("<ii", width, height) + small[26:]


def run_lengths(width: int, height: int, codes: bytes) -> bytes:
    """Return a bitmap of 256 colours whose pixels are run lengths, as they are given."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, _RLE8, len(codes), 0, 0, 256, 0)
    begin = 14 + 40 + 1024
    start = b"BM" + struct.pack("<IHHI", begin + len(codes), 0, 0, begin)
    return start + header + bytes(1024) + codes

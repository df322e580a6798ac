"""JPEG files: giants, scans without end, and segments that mislead."""

import functools
import struct

import numpy as np
from PIL import Image

from support.diagrams import noise
from support.pictures import encoded

_START, _END = b"\xff\xd8", b"\xff\xd9"
_APP1, _APP2, _COMMENT, _DHT, _SOF0, _SOS = 0xE1, 0xE2, 0xFE, 0xC4, 0xC0, 0xDA
_ARITHMETIC = 0xC9
_MOST_IN_SEGMENT = 65_533
_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4


def segment(marker: int, content: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def with_segments(data: bytes, segments: bytes) -> bytes:
    """Return a JPEG with more segments at its beginning."""
    return _START + segments + data[2:]


def declaring(width: int, height: int) -> bytes:
    """Return a small JPEG whose header declares another size."""
    small = noise(1, "JPEG")
    at = small.index(bytes([0xFF, _SOF0]))
    return small[: at + 5] + struct.pack(">HH", height, width) + small[at + 9 :]


@functools.cache
def flat(width: int, height: int, mode: str = "L", *, progressive: bool = False) -> bytes:
    return encoded(Image.new(mode, (width, height)), "JPEG", progressive=progressive, quality=50)


def with_scans(width: int, height: int, *, scans: int) -> bytes:
    """Return a progressive JPEG whose last scan comes so many times more."""
    data = flat(width, height, progressive=True)
    last = data.rindex(bytes([0xFF, _SOS]))
    return data[:-2] + data[last:-2] * scans + _END


def luminance_and_black(width: int, height: int) -> bytes:
    """Return a JPEG of four channels whose Adobe segment says YCCK."""
    data = flat(width, height, "CMYK")
    at = data.index(b"Adobe") + len("Adobe") + 6
    return data[:at] + b"\x02" + data[at + 1 :]


def arithmetic() -> bytes:
    """Return a JPEG that says it is coded arithmetically, and is not."""
    return noise(1, "JPEG").replace(bytes([0xFF, _SOF0]), bytes([0xFF, _ARITHMETIC]), 1)


def _exif(directory: bytes) -> bytes:
    return segment(_APP1, b"Exif\0\0MM\0\x2a\0\0\0\x08" + directory)


def _entry(tag: int, kind: int, count: int, value: int) -> bytes:
    content = struct.pack(">HH", value, 0) if kind == _SHORT else struct.pack(">I", value)
    return struct.pack(">HHI", tag, kind, count) + content


def oriented(orientation: int) -> bytes:
    """Return a small JPEG with that EXIF orientation, of 0 to 65,535."""
    entry = _entry(_ORIENTATION, _SHORT, 1, orientation)
    return with_segments(noise(1, "JPEG"), _exif(b"\0\x01" + entry + bytes(4)))


def with_huge_directory() -> bytes:
    """Return a JPEG whose EXIF data is one directory of values that claim all there is."""
    number = 5_000
    entries = (_entry(tag, _LONG, 16_000, 8) for tag in range(number))
    directory = struct.pack(">H", number) + b"".join(entries) + bytes(4)
    return with_segments(noise(1, "JPEG"), _exif(directory))


def with_cyclic_directory() -> bytes:
    """Return a JPEG whose EXIF directory leads to itself: next, as EXIF, as GPS, as thumbnail."""
    tags = (0x8769, 0x8825, 0xA005)
    entries = b"".join(_entry(tag, _LONG, 1, 8) for tag in tags)
    directory = struct.pack(">H", len(tags)) + entries + struct.pack(">I", 8)
    return with_segments(noise(1, "JPEG"), _exif(directory))


def many_pictures(number: int) -> bytes:
    """Return an MPO file of so many small pictures."""
    small = Image.new("RGB", (8, 8))
    return encoded(small, "MPO", save_all=True, append_images=[small] * (number - 1))


def many_declared_pictures() -> bytes:
    """Return a JPEG that declares to be an MPO of 2^31 - 1 pictures, without where they are."""
    version = struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    number = _entry(0xB001, _LONG, 1, 2**31 - 1)
    places = struct.pack(">HHII", 0xB002, 7, 2**31 - 1, 50)
    directory = struct.pack(">H", 3) + version + number + places + bytes(4)
    extended = segment(_APP2, b"MPF\0MM\0\x2a\0\0\0\x08" + directory)
    return with_segments(noise(1, "JPEG"), extended)


def many_segments(number: int) -> bytes:
    return with_segments(noise(1, "JPEG"), segment(_COMMENT) * number)


def with_color_profile(parts: int = 255) -> bytes:
    """Return a JPEG with a colour profile of so many segments, 64 KiB each."""
    content = bytes(_MOST_IN_SEGMENT - 14)
    profile = (
        segment(_APP2, b"ICC_PROFILE\0" + bytes([number, parts]) + content)
        for number in range(1, parts + 1)
    )
    return with_segments(noise(1, "JPEG"), b"".join(profile))


def damaged_tables() -> list[bytes]:
    """Return JPEGs whose first Huffman table counts codes that cannot be."""
    data = noise(1, "JPEG")
    at = data.index(bytes([0xFF, _DHT])) + 5
    return [data[:at] + counts + data[at + 16 :] for counts in (b"\xff" * 16, b"\x03" + bytes(15))]


def cut_short() -> list[bytes]:
    """Return a small JPEG, ended at ten places before its last pixel."""
    whole = noise(1, "JPEG")
    return [whole[: len(whole) * tenth // 11] for tenth in range(1, 11)]


def photographs(number: int, width: int, height: int) -> list[bytes]:
    """Return so many JPEGs of soft colours, alike but for a comment."""
    coarse = np.random.default_rng(1).integers(0, 256, (height // 40, width // 40, 3), np.uint8)
    soft = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    data = encoded(soft, "JPEG", quality=60)
    return [with_segments(data, segment(_COMMENT, bytes([index]))) for index in range(number)]

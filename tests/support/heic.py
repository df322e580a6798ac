"""A small HEIC: Pillow and pi-heif write none, so it is a file."""

import struct
from pathlib import Path

# `text_picture("42")`, written once by pillow-heif 1.4.0 (x265), at 320x120 pixels.
HEIC = Path(__file__).with_name("files").joinpath("42.heic").read_bytes()

_ROTATION = struct.pack(">I4s", 9, b"irot")


def _longer(data: bytes, kind: bytes, more: int) -> bytes:
    """Return a file whose box of that type says that it is so many bytes longer."""
    at = data.index(kind) - 4
    (length,) = struct.unpack_from(">I", data, at)
    return data[:at] + struct.pack(">I", length + more) + data[at + 4 :]


def turned(quarters: int) -> bytes:
    """Return the picture with the property that it is shown turned so far counterclockwise."""
    data = HEIC
    # The property is the fifth; its number goes to the four that the image has.
    for kind, more in ((b"ipma", 1), (b"ipco", 9), (b"iprp", 10), (b"meta", 10)):
        data = _longer(data, kind, more)
    place = data.index(b"iloc") + 22
    (begin,) = struct.unpack_from(">I", data, place)
    data = data[:place] + struct.pack(">I", begin + 10) + data[place + 4 :]
    at = data.index(b"ipma")
    associations = data[at + 4 : at + 14] + b"\x05" + data[at + 15 : at + 19] + b"\x85"
    properties = data[: at - 4] + _ROTATION + bytes([quarters]) + data[at - 4 : at + 4]
    return properties + associations + data[at + 19 :]

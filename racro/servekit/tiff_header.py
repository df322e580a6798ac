"""Reads the first directory of a TIFF (TIFF 6.0, section 2) or a BigTIFF, its first page's."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from racro.base.size import Size

_MOST_ENTRIES = 4096
_WIDTH, _HEIGHT = 256, 257
_INTEGERS = {3: "H", 4: "I", 16: "Q"}


class TiffEntry(NamedTuple):
    """A field: its tag, its type's number, and where in the file it and its value begin.

    `order` is that of the file's bytes, as `struct` writes it.
    """

    tag: int
    kind: int
    at: int
    value_at: int
    order: str


def tiff_entries(data: bytes) -> Iterator[TiffEntry]:
    """Give the fields in order. Raises ValueError for too many of them, and struct.error."""
    order = "<" if data.startswith(b"II") else ">"
    if b"+" in data[2:4]:
        pointer_at, pointer, count, value, step = 8, "Q", "Q", 12, 20
    else:
        pointer_at, pointer, count, value, step = 4, "I", "H", 8, 12
    (begin,) = struct.unpack_from(order + pointer, data, pointer_at)
    (number,) = struct.unpack_from(order + count, data, begin)
    if number > _MOST_ENTRIES:
        raise ValueError("the directory is too long")
    begin += struct.calcsize(count)
    for at in range(begin, begin + number * step, step):
        tag, kind = struct.unpack_from(order + "HH", data, at)
        yield TiffEntry(tag, kind, at, at + value, order)


def tiff_size(data: bytes) -> Size:
    """Return the size of the first page; imagesize does not know all of BigTIFF.

    Raises ValueError, struct.error, and KeyError for a directory without a size.
    """
    found = {}
    for entry in tiff_entries(data):
        if entry.tag in (_WIDTH, _HEIGHT):
            form = entry.order + _INTEGERS[entry.kind]
            (found[entry.tag],) = struct.unpack_from(form, data, entry.value_at)
    return found[_WIDTH], found[_HEIGHT]

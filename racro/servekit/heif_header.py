"""Tells the size of an AVIF or a HEIC by its header (ISO 14496-12 boxes, ISO 23008-12)."""

import struct
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from racro.base.size import Size

_MOST_BOXES = 4096
# Behind the version and flags that some boxes begin with.
_FULL_BOX = 4


class _Box(NamedTuple):
    """A part of a file: its type, and where its content begins and ends, in bytes."""

    kind: bytes
    begin: int
    end: int


def heif_size(data: bytes) -> Size:
    """Return the largest size that an image in the file declares: the others are tiles of it.

    imagesize knows no file whose image is turned by a property. Raises ValueError and struct.error.
    """
    meta = _box(data, b"meta", 0, len(data))
    properties = _box(data, b"iprp", meta.begin + _FULL_BOX, meta.end)
    container = _box(data, b"ipco", properties.begin, properties.end)
    sizes = (
        struct.unpack_from(">II", data, box.begin + _FULL_BOX)
        for box in _boxes(data, container.begin, container.end)
        if box.kind == b"ispe"
    )
    width, height = max(sizes, key=prod)
    return width, height


def _box(data: bytes, kind: bytes, begin: int, end: int) -> _Box:
    for box in _boxes(data, begin, end):
        if box.kind == kind:
            return box
    raise ValueError("a box is missing")


def _boxes(data: bytes, begin: int, end: int) -> Iterator[_Box]:
    for _ in range(_MOST_BOXES):
        if begin + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, begin)
        header = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, begin + header)
            header = 16
        box_end = begin + length if length else end
        if length and length < header:
            raise ValueError("a box is shorter than its header")
        yield _Box(kind, begin + header, min(box_end, end))
        begin = box_end
    raise ValueError("there are too many boxes")

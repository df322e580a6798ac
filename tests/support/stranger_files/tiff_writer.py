"""Writes TIFFs that Pillow cannot: tiles, planes, both byte orders, any photometric."""

import struct
from collections.abc import Sequence
from itertools import accumulate, product

from support.stranger_files.expectations import SIZE

_SHORT, _LONG, _LONG8 = 3, 4, 16
_CODES = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE = 0, 1, 2, 3
# Samples of the four quarters, row by row.
Samples = Sequence[Sequence[int]]


def _row(samples: Samples, y: int, columns: range, *, bits: int, order: str) -> bytes:
    """Return the bytes of some columns of a row; columns beyond the picture repeat the last."""
    width, height = SIZE
    first = 2 * (2 * min(y, height - 1) // height)
    values = [value for x in columns for value in samples[first + 2 * min(x, width - 1) // width]]
    if bits == 16:
        return struct.pack(f"{order}{len(values)}H", *values)
    text = "".join(f"{value:0{bits}b}" for value in values)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8)


def tiff(
    samples: Samples,
    *,
    photometric: int = RGB,
    bits: int = 8,
    order: str = "<",
    big: bool = False,
    rows_a_strip: int = SIZE[1],
    tile: int = 0,
    planar: bool = False,
    tags: dict[int, tuple[int, Sequence[int]]] | None = None,
) -> bytes:
    """Return an uncompressed TIFF of the four quarters, given the samples of each.

    `tile` is the side of its square tiles, 0 for strips. `tags` are more entries: types and values.
    """
    width, height = SIZE
    count = len(samples[0])
    planes = [[[one[at]] for one in samples] for at in range(count)] if planar else [samples]
    across, down = (tile, tile) if tile else (width, rows_a_strip)
    boxes = product(planes, range(0, height, down), range(0, width, across))
    parts = [
        b"".join(
            _row(plane, y, range(left, left + across), bits=bits, order=order)
            for y in range(top, top + down if tile else min(top + down, height))
        )
        for plane, top, left in boxes
    ]
    start = 16 if big else 8
    offsets = list(accumulate(map(len, parts), initial=start))
    entries: dict[int, tuple[int, Sequence[int]]] = {
        256: (_LONG, [width]),
        257: (_LONG, [height]),
        258: (_SHORT, [bits] * count),
        259: (_SHORT, [1]),
        262: (_SHORT, [photometric]),
        277: (_SHORT, [count]),
        284: (_SHORT, [2 if planar else 1]),
    }
    where, lengths = (324, 325) if tile else (273, 279)
    entries[where] = (_LONG8 if big else _LONG, offsets[:-1])
    entries[lengths] = (_LONG, [len(part) for part in parts])
    entries |= {322: (_LONG, [tile]), 323: (_LONG, [tile])} if tile else {278: (_LONG, [down])}
    directory = _directory({**entries, **(tags or {})}, offsets[-1], order=order, big=big)
    head = (b"II" if order == "<" else b"MM") + (
        struct.pack(f"{order}HHHQ", 43, 8, 0, offsets[-1])
        if big
        else struct.pack(f"{order}HI", 42, offsets[-1])
    )
    return head + b"".join(parts) + directory


def _directory(
    entries: dict[int, tuple[int, Sequence[int]]], start: int, *, order: str, big: bool
) -> bytes:
    """Return a directory that stands at `start`, and the values that do not fit into it."""
    number, field, inline = ("Q", "Q", 8) if big else ("H", "I", 4)
    size = struct.calcsize(f"{order}{number}") + len(entries) * (4 + 2 * inline) + inline
    head, behind = struct.pack(f"{order}{number}", len(entries)), b""
    for tag, (kind, values) in sorted(entries.items()):
        content = struct.pack(f"{order}{len(values)}{_CODES[kind]}", *values)
        if len(content) > inline:
            at = start + size + len(behind)
            behind += content + bytes(len(content) % 2)
            content = struct.pack(f"{order}{field}", at)
        head += struct.pack(f"{order}HH{field}", tag, kind, len(values))
        head += content.ljust(inline, b"\0")
    return head + bytes(inline) + behind

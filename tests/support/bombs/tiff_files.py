"""TIFF files whose directories and strips are many, huge, or lead in circles."""

import struct
import zlib

_SHORT, _LONG = 3, 4
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _SAMPLES, _ROWS, _COUNTS = 273, 277, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_COUNTS = 322, 323, 324, 325
_DEFLATE, _BLACK_IS_ZERO, _RGB = 8, 1, 2
_BEGIN = 8

Field = tuple[int, int, int, int]


def _file(fields: list[Field], more: bytes = b"", *, following: int = 0) -> bytes:
    """Return a file of one directory, with the content `more` behind it."""
    entries = b"".join(struct.pack("<HHII", *field) for field in sorted(fields))
    directory = struct.pack("<H", len(fields)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", _BEGIN) + directory + more


def _end_of_directory(fields: int) -> int:
    return _BEGIN + 2 + 12 * fields + 4


def _page(width: int, height: int, *, samples: int = 1, bits: int = 8) -> list[Field]:
    return [
        (_WIDTH, _LONG, 1, width),
        (_HEIGHT, _LONG, 1, height),
        (_BITS, _SHORT, 1, bits),
        (_COMPRESSION, _SHORT, 1, _DEFLATE),
        (_PHOTOMETRIC, _SHORT, 1, _RGB if samples > 1 else _BLACK_IS_ZERO),
        (_SAMPLES, _SHORT, 1, samples),
    ]


def many_strips(width: int, height: int) -> bytes:
    """Return black pixels of which every row is a strip, all of them the same bytes."""
    fields, row = _page(width, height), zlib.compress(bytes(width))
    begin = _end_of_directory(len(fields) + 3)
    places = begin + len(row)
    fields += [
        (_ROWS, _SHORT, 1, 1),
        (_STRIPS, _LONG, height, places),
        (_COUNTS, _LONG, height, places + 4 * height),
    ]
    lists = struct.pack("<I", begin) * height + struct.pack("<I", len(row)) * height
    return _file(fields, row + lists)


def one_strip(width: int, height: int, *, samples: int = 1, bits: int = 8) -> bytes:
    """Return black pixels in one strip: libtiff unpacks all of it at once."""
    fields = _page(width, height, samples=samples, bits=bits)
    pixels = zlib.compress(bytes(width * height * samples * bits // 8))
    fields += [
        (_ROWS, _LONG, 1, height),
        (_STRIPS, _LONG, 1, _end_of_directory(len(fields) + 3)),
        (_COUNTS, _LONG, 1, len(pixels)),
    ]
    return _file(fields, pixels)


def huge_tile(side: int) -> bytes:
    """Return 64x64 pixels in one tile that declares a side of so many."""
    fields, pixels = _page(64, 64), zlib.compress(bytes(64 * 64))
    fields += [
        (_TILE_WIDTH, _LONG, 1, side),
        (_TILE_HEIGHT, _LONG, 1, side),
        (_TILES, _LONG, 1, _end_of_directory(len(fields) + 4)),
        (_TILE_COUNTS, _LONG, 1, len(pixels)),
    ]
    return _file(fields, pixels)


def _whole(*, following: int) -> bytes:
    fields, pixels = _page(8, 8), zlib.compress(bytes(64))
    fields += [
        (_ROWS, _LONG, 1, 8),
        (_STRIPS, _LONG, 1, _end_of_directory(len(fields) + 3)),
        (_COUNTS, _LONG, 1, len(pixels)),
    ]
    return _file(fields, pixels, following=following)


def cyclic_pages() -> bytes:
    """Return a page that says it is followed by itself."""
    return _whole(following=_BEGIN)


def many_pages(number: int) -> bytes:
    """Return a page that is followed by so many empty directories, each leading to the next."""
    first = _whole(following=len(_whole(following=0)))
    begin = len(first)
    later = (struct.pack("<HI", 0, begin + 6 * index) for index in range(1, number + 1))
    return first + b"".join(later) + bytes(6)


def many_fields(number: int) -> bytes:
    return _file([*_page(8, 8), *((40_000, _LONG, 2**31 - 1, 8) for _ in range(number - 6))])


def many_samples() -> bytes:
    return _file([*_page(8, 8, samples=2**16 - 1), (_STRIPS, _LONG, 1, 8), (_COUNTS, _LONG, 1, 8)])


def large_values() -> bytes:
    """Return a page whose number of strips is as large as can be."""
    return _file([*_page(8, 8), (_STRIPS, _LONG, 2**32 - 1, 8), (_COUNTS, _LONG, 2**32 - 1, 8)])

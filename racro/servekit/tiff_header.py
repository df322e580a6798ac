"""Reads the directories of a TIFF (TIFF 6.0, section 2) or a BigTIFF, each a page's."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from racro.base.size import Size

_MOST_ENTRIES = 4096
_MOST_DIRECTORIES = 16
_KIND_OF_PAGE, _WIDTH, _HEIGHT = 254, 256, 257
# Of the kind of a page, the bit that says that it is another one's, at a smaller size.
_REDUCED = 1
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


class TiffEntry(NamedTuple):
    """A field: its tag, its type's number, and where in the file it and its value begin.

    `order` is that of the file's bytes, as `struct` writes it.
    """

    tag: int
    kind: int
    at: int
    value_at: int
    order: str


class TiffPage(NamedTuple):
    """A page: its number, of which 0 is the first, and the fields of its directory in order."""

    number: int
    entries: tuple[TiffEntry, ...]
    data: bytes

    def value(self, tag: int) -> int | None:
        """Return a field's first value where it is an integer; None where there is none.

        Raises struct.error for one that lies outside of the file.
        """
        for entry in self.entries:
            if entry.tag == tag and entry.kind in _INTEGERS:
                return self._first(entry)
        return None

    def _first(self, entry: TiffEntry) -> int:
        form, count_form = _INTEGERS[entry.kind], _forms(self.data)[0]
        (count,) = struct.unpack_from(entry.order + count_form, self.data, entry.at + 4)
        at = entry.value_at
        if count * struct.calcsize(form) > struct.calcsize(count_form):
            (at,) = struct.unpack_from(entry.order + count_form, self.data, at)
        value: int
        (value,) = struct.unpack_from(entry.order + form, self.data, at)
        return value


def full_page(data: bytes) -> TiffPage:
    """Return the first page that is not a reduced one of another: cameras put those first.

    It is the first page where all are. Raises ValueError for too long a directory, and
    struct.error for one that lies outside of the file.
    """
    pages = _pages(data)
    first = next(pages)
    if not _is_reduced(first):
        return first
    try:
        return next((page for page in pages if not _is_reduced(page)), first)
    except (ValueError, struct.error):
        return first


def tiff_size(data: bytes) -> Size:
    """Return the size of the first full page; imagesize does not know all of BigTIFF.

    Raises ValueError and struct.error.
    """
    page = full_page(data)
    width, height = page.value(_WIDTH), page.value(_HEIGHT)
    if width is None or height is None:
        raise ValueError("the directory has no size")
    return width, height


def _is_reduced(page: TiffPage) -> bool:
    return bool((page.value(_KIND_OF_PAGE) or 0) & _REDUCED)


def _forms(data: bytes) -> tuple[str, str]:
    """Return how `struct` reads a place in the file, and the number of a directory's fields."""
    return ("Q", "Q") if b"+" in data[2:4] else ("I", "H")


def _pages(data: bytes) -> Iterator[TiffPage]:
    order = "<" if data.startswith(b"II") else ">"
    place_form, number_form = _forms(data)
    place = struct.calcsize(place_form)
    # BigTIFF's header has the size of its places, too.
    (begin,) = struct.unpack_from(order + place_form, data, place)
    for page_number in range(_MOST_DIRECTORIES):
        (number,) = struct.unpack_from(order + number_form, data, begin)
        if number > _MOST_ENTRIES:
            raise ValueError("the directory is too long")
        begin += struct.calcsize(number_form)
        end = begin + number * (4 + 2 * place)
        entries = []
        for at in range(begin, end, 4 + 2 * place):
            tag, kind = struct.unpack_from(order + "HH", data, at)
            entries.append(TiffEntry(tag, kind, at, at + 4 + place, order))
        yield TiffPage(page_number, tuple(entries), data)
        (begin,) = struct.unpack_from(order + place_form, data, end)
        if not begin:
            return

"""Reads the directories of a TIFF (TIFF 6.0, section 2) or a BigTIFF, each a page's."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from racro.base.size import Size

_MOST_ENTRIES = 4096
_MOST_DIRECTORIES = 4
_MOST_VALUES = 3 * 2**16
_KIND_OF_PAGE, _WIDTH, _HEIGHT = 254, 256, 257
_SUB_DIRECTORIES, _DNG_VERSION = 330, 50706
# Of the kind of a page, the bit that says that it is another one's, at a smaller size.
_REDUCED = 1
# And the field of before, with its value that says so.
_OLD_KIND, _OLD_REDUCED = 255, 2
# What places and numbers of a damaged file make `struct` raise, and the checks here.
_UNREADABLE = (OverflowError, ValueError, struct.error)
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


class TiffEntry(NamedTuple):
    """A field: its tag, its type's number, how many values it has, and where in the file it begins.

    Its values begin at `values_at`, or where that says. `order` is that of the file's bytes, as
    `struct` writes it.
    """

    tag: int
    kind: int
    number: int
    at: int
    values_at: int
    order: str


class TiffPage(NamedTuple):
    """A page: where its directory begins, and the directory's fields in order."""

    begin: int
    entries: tuple[TiffEntry, ...]
    data: bytes

    def has(self, tag: int) -> bool:
        """Tell whether there is a field of that tag."""
        return any(entry.tag == tag for entry in self.entries)

    def integers(self, tag: int) -> tuple[int, ...]:
        """Return a field's values, if they are integers, as many as a palette has at most.

        Raises struct.error for those that lie outside of the file.
        """
        for entry in self.entries:
            if entry.tag == tag and entry.kind in _INTEGERS:
                count = min(entry.number, _MOST_VALUES)
                form = f"{entry.order}{count}{_INTEGERS[entry.kind]}"
                return struct.unpack_from(form, self.data, self.place(entry))
        return ()

    def integer(self, tag: int, default: int = 0) -> int:
        """Return a field's first value. Raises struct.error as `integers` does."""
        return next(iter(self.integers(tag)), default)

    def place(self, entry: TiffEntry) -> int:
        """Return where the integers of a field are. Raises struct.error."""
        place_form, _ = _forms(self.data)
        if entry.number * struct.calcsize(_INTEGERS[entry.kind]) <= struct.calcsize(place_form):
            return entry.values_at
        at: int
        (at,) = struct.unpack_from(entry.order + place_form, self.data, entry.values_at)
        return at


def full_page(data: bytes) -> TiffPage:
    """Return the first page that is not a reduced one of another: cameras put those first.

    It is the first page where all are. Raises ValueError for too long a directory, and
    struct.error or OverflowError for one that lies outside of the file.
    """
    pages = _pages(data)
    first = next(pages)
    if not _is_reduced(first):
        return first
    try:
        return next((page for page in pages if not _is_reduced(page)), first)
    except _UNREADABLE:
        return first


def tiff_size(data: bytes) -> Size:
    """Return the size of the first full page; imagesize does not know all of BigTIFF.

    Raises what `full_page` does.
    """
    page = full_page(data)
    return page.integer(_WIDTH), page.integer(_HEIGHT)


def is_raw_photograph(data: bytes) -> bool:
    """Tell whether a file is a camera's raw values, in DNG or a format that is like it.

    Such a file has them in a directory below the first one, which is a thumbnail.
    """
    try:
        page = full_page(data)
        return page.has(_DNG_VERSION) or (_is_reduced(page) and page.has(_SUB_DIRECTORIES))
    except _UNREADABLE:
        return False


def _is_reduced(page: TiffPage) -> bool:
    return bool(page.integer(_KIND_OF_PAGE) & _REDUCED) or page.integer(_OLD_KIND) == _OLD_REDUCED


def _forms(data: bytes) -> tuple[str, str]:
    """Return how `struct` reads a place in the file, and the number of a directory's fields."""
    return ("Q", "Q") if b"+" in data[2:4] else ("I", "H")


def _pages(data: bytes) -> Iterator[TiffPage]:
    order = "<" if data.startswith(b"II") else ">"
    place_form, number_form = _forms(data)
    place = struct.calcsize(place_form)
    # BigTIFF's header has the size of its places, too.
    (begin,) = struct.unpack_from(order + place_form, data, place)
    for _ in range(_MOST_DIRECTORIES):
        directory = begin
        (number,) = struct.unpack_from(order + number_form, data, begin)
        if number > _MOST_ENTRIES:
            raise ValueError("the directory is too long")
        begin += struct.calcsize(number_form)
        end = begin + number * (4 + 2 * place)
        entries = []
        for at in range(begin, end, 4 + 2 * place):
            tag, kind, count = struct.unpack_from(f"{order}HH{place_form}", data, at)
            entries.append(TiffEntry(tag, kind, count, at, at + 4 + place, order))
        yield TiffPage(directory, tuple(entries), data)
        (begin,) = struct.unpack_from(order + place_form, data, end)
        if not begin:
            return

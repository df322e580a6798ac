"""Which file is sent by which entry: every file by one, and every family by all of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from support.stranger_files import FILES
from support.stranger_files.expectations import StrangerFile
from support.stranger_files.table import ROWS


def cases(entries: Sequence[str]) -> list[tuple[StrangerFile, str]]:
    """Return files and entries, those of the table of the docs with each entry."""
    return [(FILES[name], entry) for name, entry in dict.fromkeys(_named(entries))]


def _named(entries: Sequence[str]) -> Iterator[tuple[str, str]]:
    families: dict[str, list[str]] = defaultdict(list)
    for file in FILES.values():
        families[file.family].append(file.name)
    for names in families.values():
        for turn in range(max(len(names), len(entries))):
            yield names[turn % len(names)], entries[turn % len(entries)]
    for names in ROWS.values():
        yield from ((name, entry) for name in names if name in FILES for entry in entries)

"""Which of the files goes in by which entry: all of them, and each kind by every one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from support.stranger_files import FILES
from support.stranger_files.expectations import StrangerFile
from support.stranger_files.table import ROWS


def cases(entries: Sequence[str]) -> Iterator[tuple[StrangerFile, str]]:
    """Yield each file with a entry, in turn within its family; those of the table with every one."""
    in_table = {name for names in ROWS.values() for name in names}
    turns: dict[str, int] = defaultdict(int)
    for file in FILES.values():
        if file.name in in_table:
            yield from ((file, entry) for entry in entries)
            continue
        yield file, entries[turns[file.family] % len(entries)]
        turns[file.family] += 1

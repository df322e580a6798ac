"""Which of the files goes in by which door: all of them, and each kind by every one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from support.stranger_files import FILES
from support.stranger_files.expectations import StrangerFile
from support.stranger_files.table import ROWS


def cases(doors: Sequence[str]) -> Iterator[tuple[StrangerFile, str]]:
    """Yield each file with a door, in turn within its family; those of the table with every one."""
    in_table = {name for names in ROWS.values() for name in names}
    turns: dict[str, int] = defaultdict(int)
    for file in FILES.values():
        if file.name in in_table:
            yield from ((file, door) for door in doors)
            continue
        yield file, doors[turns[file.family] % len(doors)]
        turns[file.family] += 1

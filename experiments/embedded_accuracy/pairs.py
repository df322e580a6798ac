"""Which label-value pairs of a drawing stand in its caption, so that a reader can tell them."""

import itertools
import re
from collections.abc import Sequence

from experiments.embedded_accuracy.items import Pair

_SPACES = re.compile(r"\s+")


def _plain(text: str) -> str:
    return _SPACES.sub("", text).casefold().replace("−", "-")


def pair_is_told(pair: Pair, caption: str) -> bool:
    """Read as the composer writes (`label: value`, `row: column value`), or as rows of cells."""
    lines = [line for line in caption.splitlines() if line.strip()]
    if len(pair.labels) == 1:
        return _told_by_line(pair.labels[0], pair.value, lines)
    row, column = pair.labels
    return (
        any(_told_in_row(*labels, pair.value, lines) for labels in ((row, column), (column, row)))
        or _told_by_cells(row, column, pair.value, lines)
        or _told_by_cells(column, row, pair.value, lines)
    )


def _told_by_line(label: str, value: str, lines: Sequence[str]) -> bool:
    wanted = (_plain(label), _plain(value))
    for line in lines:
        for separator in (": ", " = ", " | "):
            cells = [_plain(cell) for cell in line.split(separator)]
            if wanted in itertools.pairwise(cells):
                return True
    return False


def _told_in_row(row: str, column: str, value: str, lines: Sequence[str]) -> bool:
    wanted = _plain(f"{column}{value}")
    for line in lines:
        head, colon, rest = line.partition(": ")
        if colon and _plain(head) == _plain(row):
            # A comma with a space parts the cells; one inside a number has none.
            if wanted in (_plain(cell) for cell in rest.split(", ")):
                return True
            if _plain(rest) == wanted:
                return True
    return False


def _told_by_cells(row: str, column: str, value: str, lines: Sequence[str]) -> bool:
    grid = [[_plain(cell) for cell in line.split(" | ")] for line in lines]
    heads = [cells for cells in grid if _plain(column) in cells]
    for cells in grid:
        if _plain(row) not in cells:
            continue
        for head in heads:
            at = head.index(_plain(column))
            if head is not cells and len(head) == len(cells) and cells[at] == _plain(value):
                return True
    return False

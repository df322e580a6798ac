"""Tables: cells in columns that do not overlap, each told with the head of its column."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from racro.embedded.composer.layout import Picture
from racro.embedded.composer.panels import blocks_of
from racro.embedded.composer.telling import titled
from racro.embedded.composer.words import Word, joined, number, pieces, rows

_FEWEST_ROWS, _FEWEST_COLUMNS = 2, 2
# Two columns are a list of keys and values from this many rows on.
_FEWEST_KEYS = 3
# Of the rows with several words, that fit into the columns.
_FITTING = 0.75
_NUMERIC = 0.6
# Of the lines of a list of keys and values, that have a colon or a number.
_MARKED = 0.3
# Characters: longer cells are columns of running text.
_LONGEST_CELL = 32
_YEAR = re.compile(r"(19|20)\d\d")

Cells = list[list[Word]]


@dataclass(frozen=True)
class Grid:
    """Rows of cells, of one length, and the words above and below them."""

    before: list[list[Word]]
    rows: list[Cells]
    after: list[list[Word]]

    def texts(self) -> list[list[str]]:
        return [[joined(cell) for cell in row] for row in self.rows]


def table(picture: Picture) -> list[str] | None:
    grid = grid_in(picture)
    if grid is None:
        return None
    texts = grid.texts()
    if _is_running_text(texts) or _is_listing(grid) or len(blocks_of(picture.words)) > 1:
        return None
    head = has_head(texts)
    title = " ".join(joined(row) for row in grid.before)
    lines = [f"Table. {titled(title)}".rstrip()]
    lines.extend(told_rows(texts, has_head=head))
    lines.extend("Other text: " + joined(row) for row in grid.after)
    return lines


def told_rows(texts: Sequence[Sequence[str]], *, has_head: bool) -> list[str]:
    """The columns' names, and a line for each row, which is named by its first cell."""
    heads = texts[0] if has_head else [""] * len(texts[0])
    body = texts[1:] if has_head else texts
    told = [f"Columns: {', '.join(filter(None, heads))}. {len(body)} rows."] if has_head else []
    if len(heads) == _FEWEST_COLUMNS:
        heads = ["", ""]
    for key, *cells in body:
        values = [
            f"{head} {cell}".strip() for head, cell in zip(heads[1:], cells, strict=True) if cell
        ]
        told.append(f"{key.rstrip(':')}: {', '.join(values)}" if key else ", ".join(values))
    return told


def _is_running_text(texts: Sequence[Sequence[str]]) -> bool:
    lengths = sorted(len(cell) for row in texts for cell in row if cell)
    if len(texts[0]) == _FEWEST_COLUMNS and not _are_keys_and_values(texts):
        return True
    return lengths[len(lengths) // 2] > _LONGEST_CELL


def _is_listing(grid: Grid) -> bool:
    """Return whether most rows have one cell, as the output of a program has."""
    rest = sum(sum(map(bool, row)) == 1 for row in grid.rows) + len(grid.before) + len(grid.after)
    return rest > len(grid.rows) + 1


def _are_keys_and_values(texts: Sequence[Sequence[str]]) -> bool:
    marked = sum(key.endswith(":") or _is_numeric(value) for key, value in texts)
    return len(texts) >= _FEWEST_KEYS and marked >= _MARKED * len(texts)


def has_head(texts: Sequence[Sequence[str]]) -> bool:
    """Whether the first row differs from those below it; of three columns on it usually does."""
    head, body = texts[0], texts[1:]
    if head[0].endswith(":"):
        return False
    contrast = repeat = 0
    for at in range(1, len(head)):
        cells = [row[at] for row in body if row[at]]
        numeric = sum(map(_is_numeric, cells)) >= _NUMERIC * len(cells) > 0
        contrast += numeric and not _is_numeric(head[at])
        repeat += numeric and _is_numeric(head[at])
    if contrast or repeat:
        return contrast >= repeat
    return len(head) > _FEWEST_COLUMNS


def _is_numeric(text: str) -> bool:
    return (text[:1].isdigit() or number(text) is not None) and not _YEAR.fullmatch(text)


def grid_in(picture: Picture) -> Grid | None:
    """The most columns for which the words of at least two rows are apart."""
    in_rows = rows([word for word in picture.words if not word.is_upright])
    for count in sorted({len(row) for row in in_rows}, reverse=True):
        complete = [row for row in in_rows if len(row) == count]
        if count < _FEWEST_COLUMNS or len(complete) < _FEWEST_ROWS:
            continue
        spans = [
            (min(word.left for word in column), max(word.right for word in column))
            for column in zip(*complete, strict=True)
        ]
        if all(one[1] < other[0] for one, other in pairwise(spans)):
            return _filled(in_rows, spans, picture.unit)
    return None


def _filled(
    in_rows: Sequence[list[Word]], spans: Sequence[tuple[float, float]], unit: float
) -> Grid | None:
    cells = [_cells(row, spans) for row in in_rows]
    several = [row for row, words in zip(cells, in_rows, strict=True) if len(words) > 1]
    fitting = [
        at for at, row in enumerate(cells) if len(in_rows[at]) > 1 and sum(map(bool, row)) > 1
    ]
    if len(fitting) < max(_FITTING * len(several), _FEWEST_ROWS):
        return None
    first, last = fitting[0], fitting[-1]
    body: list[Cells] = []
    for at in range(first, last + 1):
        if at in fitting or not _goes_on(in_rows[at][0], in_rows[at - 1][0], unit):
            body.append(cells[at])
        else:
            body[-1] = [above + below for above, below in zip(body[-1], cells[at], strict=True)]
    return Grid(list(in_rows[:first]), body, list(in_rows[last + 1 :]))


def _goes_on(word: Word, above: Word, unit: float) -> bool:
    """Whether it is a second line in the cells of the row above."""
    return word.top - above.bottom < unit / 4


def _cells(row: Sequence[Word], spans: Sequence[tuple[float, float]]) -> Cells:
    cells: Cells = [[] for _ in spans]
    for word in row:
        crossed = sum(min(word.right, right) > max(word.left, left) for left, right in spans)
        for part in pieces(word) if crossed > 1 else [word]:
            at = min(range(len(spans)), key=lambda at: _distance(part, spans[at]))
            cells[at].append(part)
    return cells


def _distance(word: Word, span: tuple[float, float]) -> float:
    outside = max(span[0] - word.x, word.x - span[1], 0)
    return outside or abs(word.x - sum(span) / 2) * 1e-6

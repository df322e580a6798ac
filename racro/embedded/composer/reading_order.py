"""All text row by row: for pictures of which nothing more is known."""

import statistics
from collections.abc import Iterator, Sequence

from racro.embedded.composer.words import Word, rows

_HEADING = "Text in the image, row by row:"
# A first row this much taller than the usual word is a title.
_TITLE_HEIGHT = 1.2
# In heights of the usual text, between columns of text, which have rows and are told one by one.
_GUTTER = 1.0
_FEWEST_ROWS = 3
# Characters: columns of shorter words are cells.
_SHORTEST_COLUMN_TEXT = 8


def reading_order(words: Sequence[Word]) -> Iterator[str]:
    """Across the whole picture, as if it had no columns of text."""
    yield from _told([rows(words)], words)


def by_columns(words: Sequence[Word]) -> Iterator[str]:
    """Columns of running text from left to right, each row by row."""
    in_rows = rows(words)
    heading = [row for row in in_rows[:1] if len(row) == 1]
    body = [word for row in in_rows[len(heading) :] for word in row]
    columns = _columns(body)
    told = [heading + rows(columns[0]), *map(rows, columns[1:])] if columns else [in_rows]
    yield from _told(told, words)


def _told(columns: Sequence[list[list[Word]]], words: Sequence[Word]) -> Iterator[str]:
    in_rows = [row for column in columns for row in column]
    usual_height = statistics.median(word.height for word in words)
    first = in_rows[0]
    if len(in_rows) > 1 and max(word.height for word in first) > _TITLE_HEIGHT * usual_height:
        yield "Title: " + " ".join(word.text for word in first)
        in_rows = in_rows[1:]
    yield _HEADING
    for row in in_rows:
        yield " | ".join(word.text for word in row)


def _columns(words: Sequence[Word]) -> list[list[Word]]:
    """Words apart from left to right; one column if any is not of running text."""
    columns: list[list[Word]] = []
    gutter = _GUTTER * statistics.median([word.height for word in words] or [0])
    edge = 0.0
    for word in sorted(words, key=lambda word: word.left):
        if columns and word.left < edge + gutter:
            columns[-1].append(word)
        else:
            columns.append([word])
        edge = max(edge, word.right) if len(columns[-1]) > 1 else word.right
    is_text = all(
        len(rows(column)) >= _FEWEST_ROWS
        and statistics.median(len(word.text) for word in column) >= _SHORTEST_COLUMN_TEXT
        for column in columns
    )
    return columns if is_text else [list(words)]

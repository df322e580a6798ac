"""All text as it stands: for pictures of which nothing more is known."""

import statistics
from collections.abc import Iterator, Sequence

from racro.embedded.composer.verbatim import HEADING, verbatim
from racro.embedded.composer.words import Word, rows

# A first row this much taller than the usual word is a title.
_TITLE_HEIGHT = 1.2


def reading_order(words: Sequence[Word]) -> Iterator[str]:
    """Across the whole picture, as if it had no columns of text."""
    in_rows = rows(words)
    if _is_title(in_rows, words):
        yield "Title: " + " ".join(word.text for word in in_rows.pop(0))
    yield HEADING
    for row in in_rows:
        yield " | ".join(word.text for word in row)


def by_blocks(words: Sequence[Word]) -> Iterator[str]:
    """Block by block, from left to right and from the top."""
    in_rows = rows(words)
    if _is_title(in_rows, words) and len(in_rows[0]) == 1:
        title = in_rows[0][0]
        yield f"Title: {title.text}"
        words = [word for word in words if word is not title]
    yield HEADING
    yield from verbatim(words)


def _is_title(in_rows: Sequence[Sequence[Word]], words: Sequence[Word]) -> bool:
    usual_height = statistics.median(word.height for word in words)
    first = max(word.height for word in in_rows[0])
    return len(in_rows) > 1 and first > _TITLE_HEIGHT * usual_height

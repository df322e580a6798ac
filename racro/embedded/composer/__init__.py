"""From words with boxes and the picture's colours to a caption that links labels and values."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from racro.embedded.composer.charts import chart
from racro.embedded.composer.figures import figure
from racro.embedded.composer.layout import Picture
from racro.embedded.composer.pies import pie
from racro.embedded.composer.pixels import canvas_of
from racro.embedded.composer.reading_order import by_blocks, reading_order
from racro.embedded.composer.receipts import receipt
from racro.embedded.composer.tables import table
from racro.embedded.composer.verbatim import HEADING, verbatim
from racro.embedded.composer.words import Word, is_bracket, rows, text_height

__all__ = ["COMPOSER_VERSION", "Word", "compose", "reading_order", "rows"]

COMPOSER_VERSION = "linked-2"

_NO_TEXT = "No readable text was found in the image."
# More words than any chart, table or figure that a caption could tell has.
_MOST_WORDS = 400
# The score of a doubtful letter, and heights of a letter among usual text.
_MANY = 0.3
_DOUBTFUL, _LETTER_HEIGHTS = 0.75, (0.7, 2)

# Tried in this order; each returns None where the picture is not certainly of its kind.
_KINDS: tuple[Callable[[Picture], list[str] | None], ...] = (pie, chart, receipt, table, figure)


def compose(
    words: Sequence[Word],
    pixels: NDArray[np.uint8] | None = None,
    *,
    max_chars: int | None = None,
    as_it_stands: bool = False,
) -> tuple[str, bool]:
    """(caption of one image, whether text is missing from it); only whole lines are cut off.

    It is cut at `max_chars`. Words without a text were found and not read: the caption says so.
    With `as_it_stands` nothing is linked, of a chart or table neither: the text is told by blocks.
    """
    read = [word for word in words if word.text]
    unread = len(words) - len(read)
    warnings = list(_warnings(read, unread=unread))
    length = sum(len(line) + len("\n") for line in warnings) - len("\n")
    kept: list[str] = []
    for line in _lines(read, pixels, as_it_stands=as_it_stands):
        length += len("\n") + len(line)
        if kept and max_chars is not None and length > max_chars:
            return "\n".join([*kept, *warnings]), True
        kept.append(line)
    return "\n".join([*kept, *warnings]), unread > 0


def _is_mark(word: Word, unit: float) -> bool:
    """Whether it is a piece of the drawing that was taken for a letter."""
    is_odd = not _LETTER_HEIGHTS[0] < word.height / unit < _LETTER_HEIGHTS[1]
    return len(word.text) == 1 and word.score < _DOUBTFUL and is_odd


def _warnings(words: Sequence[Word], *, unread: int) -> Iterator[str]:
    if unread:
        yield f"Only the upper part of the text was read; {unread} pieces of it were not."
    if sum(word.score < _DOUBTFUL for word in words) > _MANY * len(words):
        yield "Some of the text could not be read reliably."
    if sum(word.is_upright for word in words) > len(words) / 2:
        yield "The picture seems to be turned by 90 degrees."


def _lines(
    words: Sequence[Word], pixels: NDArray[np.uint8] | None, *, as_it_stands: bool
) -> Iterable[str]:
    if not words:
        return [_NO_TEXT]
    return [HEADING, *verbatim(words)] if as_it_stands else _told(words, pixels)


def _is_beside_much_text(lines: Sequence[str]) -> bool:
    """Return whether a chart without values is a part of a screen: most of the text is another."""
    other = sum(len(line) for line in lines if line.startswith("Other text:"))
    return "The values are not printed." in lines and other > sum(map(len, lines)) / 2


def _told(words: Sequence[Word], pixels: NDArray[np.uint8] | None) -> list[str]:
    unit = text_height(words)
    legible = tuple(word for word in words if not (_is_mark(word, unit) or is_bracket(word)))
    if 0 < len(legible) <= _MOST_WORDS:
        picture = Picture(legible, canvas_of(pixels), unit)
        for kind in _KINDS:
            if (lines := kind(picture)) and not _is_beside_much_text(lines):
                return lines
    return list(by_blocks(words))

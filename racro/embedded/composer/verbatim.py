"""Text as it stands: block by block, code and terminals with their spaces."""

import statistics
from collections.abc import Iterator, Sequence

from racro.embedded.composer.panels import blocks_of
from racro.embedded.composer.words import Word, is_bracket, rows

HEADING = "Text in the image, row by row:"
# Pieces of so many characters tell how wide a letter is; in text of one width, that share of them
# agrees within this share of it.
_TELLING, _FEWEST_TELLING, _AGREEING, _SAME = 6, 4, 0.7, 0.05
# Of its height: what a box has beside its letters, both sides together.
_MARGIN = 0.15
# Spaces between two pieces; more tell nothing.
_MOST_SPACES = 24


def verbatim(words: Sequence[Word]) -> Iterator[str]:
    """Yield the lines of each block, an empty one between two blocks."""
    for place, block in enumerate(blocks_of(words)):
        if place:
            yield ""
        yield from _lines(block)


def _lines(block: Sequence[Word]) -> Iterator[str]:
    width = letter_width(block) if len(rows(block)) > 1 else None
    # Where no code stands, a bracket alone is a piece of a drawing.
    told = block if width is not None else [word for word in block if not is_bracket(word)]
    left = min(word.left for word in block)
    for row in rows(told):
        if width is None:
            yield " | ".join(word.text for word in row)
        else:
            yield _placed(row, left, width)


def _placed(row: Sequence[Word], left: float, width: float) -> str:
    """Return the row with as many spaces before and between its pieces as there is room for."""
    line = ""
    for word in row:
        room = round((word.left - left) / width) - len(line)
        line += " " * min(max(room, 1 if line else 0), _MOST_SPACES) + word.text
    return line


def letter_width(words: Sequence[Word]) -> float | None:
    """Return how wide a letter is, in pixels, if all of them are: in code and in terminals."""
    widths = [
        (word.width - _MARGIN * word.height) / len(word.text)
        for word in words
        if len(word.text) >= _TELLING
    ]
    if len(widths) < _FEWEST_TELLING:
        return None
    usual = statistics.median(widths)
    agreeing = sum(abs(width - usual) <= _SAME * usual for width in widths)
    return usual if usual > 0 and agreeing >= _AGREEING * len(widths) else None

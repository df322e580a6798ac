"""Text as it stands: block by block, code and terminals with their spaces."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from racro.embedded.composer.panels import blocks_of
from racro.embedded.composer.words import Word, is_bracket, rows

HEADING = "Text in the image, row by row:"
# Pieces of so many characters tell how wide a letter is; in text of one width, that share of them
# agrees within this share of it.
_TELLING, _FEWEST_TELLING, _AGREEING, _SAME = 6, 4, 0.7, 0.05
# Of its height: what a box has beside its letters, both sides together.
_MARGIN = 0.15
# Of a letter's width: pieces that begin no farther from one another begin at one place.
_BESIDE = 0.35
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
    columns = _columns(block, width) if width is not None else {}
    for row in rows(told):
        if width is None:
            yield " | ".join(word.text for word in row)
        else:
            yield _placed(row, columns)


def _columns(block: Sequence[Word], width: float) -> dict[Word, int]:
    """Return how many letters stand before each piece, the same for all that begin at one place.

    Boxes begin up to half a letter beside their text.
    """
    in_order = sorted(block, key=lambda word: word.left)
    groups = [[in_order[0]]]
    for before, word in pairwise(in_order):
        if word.left - before.left > _BESIDE * width:
            groups.append([])
        groups[-1].append(word)
    edge = statistics.median(word.left for word in groups[0])
    return {
        word: round((statistics.median(one.left for one in group) - edge) / width)
        for group in groups
        for word in group
    }


def _placed(row: Sequence[Word], columns: Mapping[Word, int]) -> str:
    """Return the row with as many spaces before and between its pieces as there is room for."""
    line = ""
    for word in row:
        room = columns[word] - len(line)
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

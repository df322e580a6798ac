"""The blocks of a screen or page, in the order in which they are read: panels, columns, cards."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from racro.embedded.composer.words import Word, rows, text_height

# In heights of the usual text: a gutter between two panels is at least so wide.
_GUTTER = 1.0
# Panels that stand beside each other have at least so many rows each.
_FEWEST_ROWS = 3
# Rows of both sides that stand at one height, in heights of the text, are rows of a table if they
# are this share of the side with fewer.
_LEVEL, _TABULAR = 0.25, 0.6
# Words of a row of running text, and the distance of its rows in heights of the text.
_RUNNING, _TIGHT = 3, 2.5
# Cards have few rows, of different sizes.
_MOST_CARD_ROWS, _CARD_SIZES = 5, 1.35
# A screen has panels in panels, and no more of them than this.
_DEEPEST = 8
# Places of a gutter that are tried, and runs of rows along them.
_MOST_PLACES, _MOST_RUNS = 64, 32


@dataclass(frozen=True)
class _Cut:
    """What stands above two panels, the panels, and what stands below them."""

    parts: tuple[list[Word], list[Word], list[Word], list[Word]]


def blocks_of(words: Sequence[Word], *, depth: int = 0) -> list[list[Word]]:
    """Return the words by blocks; rows of a table or of settings and their values stay together."""
    cut = _cut(words) if depth < _DEEPEST and len(words) >= 2 * _FEWEST_ROWS else None
    if cut is None:
        return [list(words)]
    return [block for part in cut.parts if part for block in blocks_of(part, depth=depth + 1)]


def _cut(words: Sequence[Word]) -> _Cut | None:
    """Return the highest two panels that stand beside each other."""
    unit = text_height(words)
    runs = sorted(_runs(words, unit), key=lambda run: run[1] - run[2])[:_MOST_RUNS]
    for x, top, bottom in runs:
        inside = [word for word in words if top <= word.y <= bottom]
        left = [word for word in inside if word.x < x]
        right = [word for word in inside if word.x >= x]
        if _are_panels(left, right, unit):
            above = [word for word in words if word.y < top]
            below = [word for word in words if word.y > bottom]
            return _Cut((above, left, right, below))
    return None


def _runs(words: Sequence[Word], unit: float) -> Iterator[tuple[float, float, float]]:
    """Yield gutters, x and from where to where, that no word stands across."""
    in_order = sorted(words, key=lambda word: word.y)
    lefts, rights, middles = (
        np.array([getattr(word, edge) for word in in_order]) for edge in ("left", "right", "y")
    )
    half = _GUTTER * unit / 2
    places, counts = np.unique(np.round(2 * (rights + half) / unit), return_counts=True)
    common = places[np.argsort(-counts, kind="stable")[:_MOST_PLACES]]
    for x in (common * unit / 2).tolist():
        across = (lefts < x + half) & (rights > x - half)
        ends = [-np.inf, *middles[across].tolist(), np.inf]
        for before, after in pairwise(ends):
            within = (middles > before) & (middles < after) & ~across
            sides = lefts[within] < x
            if min(sides.sum(), (~sides).sum()) >= _FEWEST_ROWS:
                yield x, float(middles[within].min()), float(middles[within].max())


def _are_panels(left: Sequence[Word], right: Sequence[Word], unit: float) -> bool:
    """Return whether two sides are read one after the other, and not row by row across both."""
    sides = rows(left), rows(right)
    fewest = min(map(len, sides))
    if fewest < _FEWEST_ROWS:
        return False
    if all(map(_is_running, sides)):
        return True
    heights = [[statistics.median(word.y for word in row) for row in side] for side in sides]
    few, many = sorted(heights, key=len)
    level = sum(min(abs(y - other) for other in many) <= _LEVEL * unit for y in few)
    return level < _TABULAR * fewest or all(map(_is_card, sides))


def _is_running(side: Sequence[Sequence[Word]]) -> bool:
    lengths = [sum(len(word.text.split()) for word in row) for row in side]
    distances = [below[0].y - above[0].y for above, below in pairwise(side)]
    usual = statistics.median(word.height for row in side for word in row)
    return statistics.median(lengths) >= _RUNNING and statistics.median(distances) <= _TIGHT * usual


def _is_card(side: Sequence[Sequence[Word]]) -> bool:
    sizes = [max(word.height for word in row) for row in side]
    return len(side) <= _MOST_CARD_ROWS and max(sizes) >= _CARD_SIZES * min(sizes)

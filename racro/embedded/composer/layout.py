"""What charts of all kinds have in common: a title, axes with ticks, a legend, even spacing."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from racro.embedded.composer.pixels import Canvas, Shape
from racro.embedded.composer.words import Word, joined, number, rows

# All in heights of the usual text.
_SWATCH_REACH, _SWATCH_HEIGHT, _SWATCH_WIDTH = 4.5, (0.07, 1.6), (0.3, 4.5)
_ALIGNED = 0.45
# Ticks are linear but for this share of their range, and at least this share of them are.
_TICK_ERROR, _TICK_SHARE, _FEWEST_TICKS, _MOST_TICKS = 0.04, 0.6, 3, 30
# Lines of one title.
_ALIKE = 0.85
_FEWEST_GAPS, _UNEVEN = 2, 0.28
_YEARS = range(1900, 2101)


@dataclass(frozen=True, eq=False)
class Picture:
    """`unit` is the usual height of its text."""

    words: tuple[Word, ...]
    canvas: Canvas
    unit: float


@dataclass(frozen=True)
class Entry:
    """Of a legend."""

    word: Word
    color: int


def drawn(picture: Picture) -> list[Shape]:
    """The blocks that are not parts of letters."""
    edges = ("left", "top", "right", "bottom")
    boxes = np.array([[getattr(word, edge) for edge in edges] for word in picture.words])
    low, high = boxes[:, :2] - picture.unit / 8, boxes[:, 2:] + picture.unit / 8

    def is_in_word(shape: Shape) -> bool:
        within = (low <= (shape.left, shape.top)) & (high >= (shape.right, shape.bottom))
        return bool(within.all(axis=1).any())

    return [shape for shape in picture.canvas.blocks if not is_in_word(shape)]


def legend(picture: Picture, colors: Collection[int]) -> list[Entry]:
    """The words with a small patch of one of these colours on their left."""
    unit = picture.unit
    patches = [
        shape
        for shape in picture.canvas.shapes(colors)
        if _SWATCH_HEIGHT[0] * unit <= shape.height <= _SWATCH_HEIGHT[1] * unit
        and _SWATCH_WIDTH[0] * unit <= shape.width <= _SWATCH_WIDTH[1] * unit
    ]
    nearest: dict[int, tuple[float, Word]] = {}
    for word in picture.words:
        if _may_name(word) and (beside := _patch_beside(word, patches, unit)):
            claim = (abs(word.left - beside.right), word)
            if claim[0] < nearest.get(beside.color, (np.inf,))[0]:
                nearest[beside.color] = claim
    found = [Entry(word, color) for color, (_, word) in nearest.items()]
    in_order = [word for row in rows([entry.word for entry in found]) for word in row]
    return sorted(found, key=lambda entry: in_order.index(entry.word)) if len(found) > 1 else []


def _may_name(word: Word) -> bool:
    value = number(word.text)
    return value is None or (word.text.isdigit() and value in _YEARS)


def _patch_beside(word: Word, patches: Sequence[Shape], unit: float) -> Shape | None:
    beside = [
        patch
        for patch in patches
        if abs(patch.y - word.y) < unit / 2
        and word.left - _SWATCH_REACH * unit < patch.left
        and patch.right < word.left + unit
    ]
    last = max((patch.right for patch in beside), default=0)
    at_hand = [patch for patch in beside if patch.right > last - unit / 2]
    return max(at_hand, key=lambda patch: patch.area, default=None)


def ticks(words: Sequence[Word], unit: float, is_outside: Callable[[Word], bool]) -> list[Word]:
    """The numbers in a column outside of the plot that rise or fall evenly, top to bottom."""
    numbers = [word for word in words if number(word.text) is not None and is_outside(word)]
    found: set[Word] = set()
    for edge in (_right, _left, _middle):
        for column in _aligned(numbers, edge, _ALIGNED * unit):
            if _FEWEST_TICKS <= len(column) <= _MOST_TICKS and _is_scale(column):
                found.update(column)
    return sorted(found, key=lambda word: word.y)


def _right(word: Word) -> float:
    return word.right


def _left(word: Word) -> float:
    return word.left


def _middle(word: Word) -> float:
    return word.x


def _aligned(
    words: Sequence[Word], edge: Callable[[Word], float], slack: float
) -> Iterator[list[Word]]:
    column: list[Word] = []
    for word in sorted(words, key=edge):
        if column and edge(word) - edge(column[-1]) > slack:
            yield column
            column = []
        column.append(word)
    if column:
        yield column


def _is_scale(column: Sequence[Word]) -> bool:
    ys = np.array([word.y for word in column])
    values = np.array([number(word.text) or 0 for word in column])
    if _is_mostly_linear(ys, values):
        return True
    return bool((values > 0).all()) and _is_mostly_linear(ys, np.log10(values))


def _is_mostly_linear(ys: np.ndarray, values: np.ndarray) -> bool:
    """Whether most points lie on the line through two of them (one may be misread)."""
    reach = np.ptp(values) * _TICK_ERROR
    for one in range(len(ys)):
        for other in range(one + 1, len(ys)):
            if ys[one] == ys[other] or values[one] == values[other]:
                continue
            slope = (values[other] - values[one]) / (ys[other] - ys[one])
            on_line = np.abs(values[one] + slope * (ys - ys[one]) - values) <= reach
            if on_line.sum() >= max(_FEWEST_TICKS, _TICK_SHARE * len(ys)):
                return True
    return False


def even_positions(row: Sequence[Word]) -> list[float] | None:
    """Their middles (slanted words: right or left edges) if these are evenly spaced; a place
    between them may be empty.
    """
    for edge in (_middle, _right, _left):
        places = sorted(edge(word) for word in row)
        gaps = np.diff(places)
        if len(gaps) < _FEWEST_GAPS or gaps.min() <= 0:
            continue
        steps = gaps / np.median(gaps)
        uneven = np.abs(steps - np.round(steps))
        if uneven.max() <= _UNEVEN and _widest(steps) <= _FEWEST_GAPS and steps.min() > 1 / 2:
            return places
    return None


def _widest(steps: np.ndarray) -> int:
    return int(np.round(steps).max())


@dataclass(frozen=True)
class Surroundings:
    """What is written around a plot."""

    title: str
    across: str
    up: str
    other: str


def surroundings(picture: Picture, used: Sequence[Word], entries: Sequence[Entry]) -> Surroundings:
    """`used` are the words of the plot itself; titles are level, or upright at its sides."""
    taken = {*used, *(entry.word for entry in entries)}
    free = [word for word in picture.words if word not in taken]
    upright = [word for word in free if word.is_upright]
    level = [word for word in free if not word.is_upright]
    top, bottom = min(word.top for word in used), max(word.bottom for word in used)
    title = _first_rows([word for word in level if word.y < top])
    across = next(iter(rows([word for word in level if word.y > bottom])), [])
    told = {*title, *across, *upright}
    return Surroundings(
        joined(title),
        joined(across),
        joined(upright),
        " | ".join(joined(row) for row in rows([word for word in level if word not in told])),
    )


def _first_rows(words: Sequence[Word]) -> list[Word]:
    """The first row and those that go on at the same size right below it."""
    found: list[Word] = []
    for row in rows(words):
        if found and not _goes_on(found[-1], row[0]):
            break
        found.extend(row)
    return found


def _goes_on(above: Word, below: Word) -> bool:
    alike = _ALIKE < below.height / max(above.height, 1) < 1 / _ALIKE
    is_below = below.left < above.right and above.left < below.right
    return alike and is_below and below.top - above.bottom < above.height / 2

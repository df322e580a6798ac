"""Bar and line charts: which value stands at which label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from racro.embedded.composer.bars import Column, columns_of_bars, groups
from racro.embedded.composer.layout import (
    Entry,
    Picture,
    drawn,
    even_positions,
    legend,
    surroundings,
    ticks,
)
from racro.embedded.composer.lines import Line, lines_in
from racro.embedded.composer.pixels import Shape
from racro.embedded.composer.telling import Axis, Chart, Point, Value
from racro.embedded.composer.words import Word, joined, number, pieces, rows, without_marks

Box = TypeVar("Box", Word, Shape)

# All in heights of the usual text: how far a value is from its bar, how far apart the tops of
# one row of labels are.
_REACH, _SAME_TOP = 2.5, 0.5
_FEWEST_POINTS = 3
# Reading misses a label at times.
_LABELLED, _NO_LABEL = 0.5, "(unreadable label)"
_ROW_SPAN = 0.35
_SEVERAL = 2
_HOLE = 1.5


@dataclass(frozen=True, eq=False)
class Panel:
    """A picture, perhaps turned so that its labels are at the bottom of its bars; `origin` tells
    where its words stand in the picture.
    """

    words: list[Word]
    origin: dict[Word, Word]
    shapes: list[Shape]
    unit: float
    is_turned: bool

    def text(self, words: Sequence[Word]) -> str:
        return without_marks(joined([self.origin[w] for w in words] if self.is_turned else words))


@dataclass(frozen=True, eq=False)
class Reading:
    """`used` are the words it took for labels, values and ticks."""

    kind: str
    noun: str
    points: list[Point]
    used: list[Word]
    entries: list[Entry]
    ends: tuple[str, ...]
    is_turned: bool = False


def chart(picture: Picture) -> list[str] | None:
    picture = replace(picture, words=tuple(_apart(picture.words)))
    blocks = drawn(picture)
    panels = [_panel(blocks, picture, is_turned=is_turned) for is_turned in (False, True)]
    readings = [reading for panel in panels if (reading := _bars(panel, picture))]
    reading = max(readings, key=_told_values, default=None) or _lines(picture)
    return _told(picture, reading) if reading else None


def _told_values(reading: Reading) -> tuple[int, int]:
    return sum(len(point.values) for point in reading.points), len(reading.points)


def _apart(words: Sequence[Word]) -> list[Word]:
    """With numbers that were read as one word ("10 20 30") set apart."""
    found: list[Word] = []
    for word in words:
        parts = pieces(word)
        is_many = number(word.text) is None and all(number(part.text) is not None for part in parts)
        found.extend(parts if is_many and len(parts) > 1 else [word])
    return found


def _panel(blocks: list[Shape], picture: Picture, *, is_turned: bool) -> Panel:
    words = picture.words
    if not is_turned:
        whole = {part: word for word in words for part in [*pieces(word), word]}
        return Panel(list(words), whole, blocks, picture.unit, is_turned)
    origin = {_turned(word, picture.canvas.width): word for word in words}
    turned = [_turned(shape, picture.canvas.width) for shape in blocks]
    return Panel(list(origin), origin, turned, picture.unit, is_turned)


def _turned(box: Box, width: float) -> Box:
    """By 90 degrees: what was on the left is at the bottom."""
    return replace(
        box, left=box.top, right=box.bottom, top=width - box.right, bottom=width - box.left
    )


# Bars.


def _bars(panel: Panel, picture: Picture) -> Reading | None:
    columns = columns_of_bars(panel.shapes, panel.unit)
    if not columns:
        return None
    entries = legend(picture, {bar.color for column in columns for bar in column.bars})
    named_series = {entry.word for entry in entries}
    words = [word for word in panel.words if panel.origin[word] not in named_series]
    plot = columns[0].left, columns[-1].right
    scale = ticks(words, panel.unit, lambda word: not plot[0] < word.x < plot[1])
    rest = [word for word in words if word not in set(scale)]
    grouped = groups(columns)
    labels = _labels(panel, rest, grouped)
    if labels is None or sum(map(bool, labels[1])) < _SEVERAL:
        return None
    grouped, named = labels
    taken = {word for words in named for word in words}
    values = _values_of_bars(columns, [word for word in rest if word not in taken], panel.unit)
    points = [
        Point(panel.text(words) or _NO_LABEL, tuple(_told_bars(group, values, entries)))
        for group, words in zip(grouped, named, strict=True)
    ]
    used = [*scale, *taken, *values.values()]
    origins = [panel.origin[word] for word in used]
    return Reading("Bar chart", "bars", points, origins, entries, _ends(scale), panel.is_turned)


def _labels(
    panel: Panel, words: Sequence[Word], grouped: list[list[Column]]
) -> tuple[list[list[Column]], list[list[Word]]] | None:
    """The groups of bars again (or each bar for itself), and the words that name each."""
    columns = [[column] for group in grouped for column in group]
    feet = [max(bar.bottom for bar in column.bars) for [column] in columns]
    below = [word for word in words if word.top > max(feet) - panel.unit / 2]
    if max(feet) - min(feet) > panel.unit / 2:
        # Bars that hang from the base line have their values below them.
        below = [word for word in below if number(word.text) is None] or below
    if panel.is_turned:
        below = [word for word in below if not panel.origin[word].is_upright]
    else:
        below = _first_lines(below, panel.unit)
    for candidates in (grouped, columns):
        if len(candidates) == len(below):
            below.sort(key=lambda word: word.x)
            return candidates, [[word] for word in below]
    split = below if panel.is_turned else [part for word in below for part in pieces(word)]
    for parts in (below, split):
        named = _nearest_names(parts, grouped, panel.unit)
        if sum(map(bool, named)) >= _LABELLED * len(named):
            return grouped, named
    return None


def _first_lines(words: Sequence[Word], unit: float) -> list[Word]:
    """The highest row (its tops are aligned, slanted or not) and the second lines of its labels."""
    top = min((word.top for word in words), default=0)
    row = [word for word in words if word.top < top + _SAME_TOP * unit]
    bottom = max((word.bottom for word in row), default=0)
    next_line = [word for word in words if word not in row and word.top < bottom]
    return row + next_line if len(next_line) > 1 else row


def _nearest_names(
    words: Sequence[Word], grouped: Sequence[Sequence[Column]], unit: float
) -> list[list[Word]]:
    named: list[list[Word]] = [[] for _ in grouped]
    for word in words:
        off = [
            max(group[0].left - word.x, word.x - group[-1].right, 0) - unit / 2 for group in grouped
        ]
        at = int(np.argmin([abs((g[0].left + g[-1].right) / 2 - word.x) for g in grouped]))
        if off[at] <= 0:
            named[at].append(word)
    return named


def _values_of_bars(
    columns: Sequence[Column], words: Sequence[Word], unit: float
) -> dict[Shape, Word]:
    """Each bar's nearest number, inside of it or beyond its end."""
    found: dict[Shape, tuple[float, Word]] = {}
    for word in words:
        column = min(columns, key=lambda column: abs(column.x - word.x))
        if number(word.text) is None or abs(column.x - word.x) > max(column.width / 2, unit):
            continue
        bar = min(column.bars, key=lambda bar: _distance(bar, word))
        claim = _distance(bar, word), word
        if claim[0] < min(found.get(bar, (np.inf,))[0], _REACH * unit):
            found[bar] = claim
    return {bar: word for bar, (_, word) in found.items()}


def _distance(bar: Shape, word: Word) -> float:
    return max(bar.top - word.y, word.y - bar.bottom, 0)


def _told_bars(
    group: Sequence[Column], values: dict[Shape, Word], entries: Sequence[Entry]
) -> list[Value]:
    names = {entry.color: entry.word.text for entry in entries}
    bars = [bar for column in group for bar in column.bars]
    if len(bars) == 1:
        return [Value(values[bars[0]].text)] if bars[0] in values else []
    told = [Value(values[bar].text, names.get(bar.color, "")) for bar in bars if bar in values]
    order = [entry.word.text for entry in entries]
    return sorted(told, key=lambda value: order.index(value.series) if value.series else -1)


def _ends(scale: Sequence[Word]) -> tuple[str, ...]:
    in_order = sorted(scale, key=lambda word: number(word.text) or 0)
    return (in_order[0].text, in_order[-1].text) if in_order else ()


# Lines.


def _lines(picture: Picture) -> Reading | None:
    found = lines_in(picture)
    if not found:
        return None
    entries = legend(picture, {line.color for line in found})
    named_series = {entry.word for entry in entries}
    words = [word for word in picture.words if word not in named_series]
    left, right = min(line.left for line in found), max(line.right for line in found)
    scale = ticks(words, picture.unit, lambda word: not left < word.x < right)
    rest = [word for word in words if word not in set(scale)]
    places = _row_of_labels(rest, picture)
    if places is None:
        return None
    labels = list(places)
    values = _values_at(places, [word for word in rest if word not in places])
    if not scale and sum(map(bool, values.values())) < _LABELLED * len(labels):
        return None
    names = {entry.color: entry.word.text for entry in entries}
    points = [
        Point(
            without_marks(label.text),
            tuple(_told_points(values[label], places[label], found, names)),
        )
        for label in labels
    ]
    whole = {part: word for word in rest for part in pieces(word)}
    found_words = [*labels, *(word for words in values.values() for word in words)]
    used = [*scale, *(whole.get(word, word) for word in found_words)]
    return Reading("Line chart", "points", points, used, entries, _ends(scale))


def _row_of_labels(words: Sequence[Word], picture: Picture) -> dict[Word, float] | None:
    """The lowest evenly spaced row that spans the plot, and where each of its words points."""
    level = [word for word in words if not word.is_upright]
    for row in [*reversed(rows(level)), *reversed(rows(words))]:
        for parts in (row, [part for word in row for part in pieces(word)]):
            places = even_positions(parts) if len(parts) >= _FEWEST_POINTS else None
            if places and places[-1] - places[0] > _ROW_SPAN * picture.canvas.width:
                in_order = sorted(parts, key=lambda word: word.x)
                return _without_holes(dict(zip(in_order, places, strict=True)))
    return None


def _without_holes(places: dict[Word, float]) -> dict[Word, float]:
    """With an unreadable label where one is missing between two."""
    step = float(np.median(np.diff(list(places.values()))))
    found: dict[Word, float] = {}
    for word, x in places.items():
        if found and x - max(found.values()) > _HOLE * step:
            middle = (x + max(found.values())) / 2
            found[replace(word, text=_NO_LABEL, left=middle, right=middle)] = middle
        found[word] = x
    return found


def _values_at(places: dict[Word, float], words: Sequence[Word]) -> dict[Word, list[Word]]:
    """The numbers above each label, the highest number first."""
    found: dict[Word, list[Word]] = {label: [] for label in places}
    spacing = (max(places.values()) - min(places.values())) / (len(places) - 1)
    for word in words:
        label = min(places, key=lambda label: abs(places[label] - word.x))
        is_near = abs(places[label] - word.x) < spacing / 2
        if number(word.text) is not None and word.bottom < label.y and is_near:
            found[label].append(word)
    for numbers in found.values():
        numbers.sort(key=lambda word: -(number(word.text) or 0))
    return found


def _told_points(
    values: Sequence[Word], x: float, lines: Sequence[Line], names: dict[int, str]
) -> list[Value]:
    """The highest number belongs to the highest line."""
    there = sorted((line for line in lines if line.color in names), key=lambda line: line.y_at(x))
    if len(there) < _SEVERAL or len(values) < len(there):
        return [Value(word.text) for word in values]
    nearest = sorted(values, key=lambda word: min(abs(line.y_at(x) - word.y) for line in there))
    values = [word for word in values if word in nearest[: len(there)]]
    told = [Value(word.text, names[line.color]) for word, line in zip(values, there, strict=True)]
    order = list(names.values())
    return sorted(told, key=lambda value: order.index(value.series))


# Both.


def _told(picture: Picture, reading: Reading) -> list[str]:
    around = surroundings(picture, reading.used, reading.entries)
    across, up = (reading.ends, ()) if reading.is_turned else ((), reading.ends)
    told = Chart(
        reading.kind,
        reading.noun,
        tuple(reading.points),
        around.title,
        (Axis("Horizontal axis", around.across, across), Axis("Vertical axis", around.up, up)),
        tuple(entry.word.text for entry in reading.entries),
        around.other,
    )
    return list(told.lines())

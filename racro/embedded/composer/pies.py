"""Pies and rings: which label and which value belong to which slice."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import atan2, cos, hypot, pi, sin, tau

from racro.embedded.composer.layout import Picture, legend, surroundings
from racro.embedded.composer.pixels import Canvas, Shape
from racro.embedded.composer.telling import Chart, Point, Value
from racro.embedded.composer.words import Word, joined, number, pieces, without_marks

# Shares of the picture, and of a slice's box.
_SMALLEST_SLICE, _LEAST_FILLED = 0.002, 0.2
_ROUND = 0.12
_SAMPLES = 72
# In radii: samples just within and just beyond the rim, how far out a label may begin.
_WITHIN, _BEYOND, _LABEL_REACH = 0.85, 1.08, 1.5
_MOSTLY, _HARDLY = 0.8, 0.2
_NAME_AND_VALUE = re.compile(
    r"(?P<name>.*[^\W\d].*?)[\s:=,–-]*[\s:=(](?P<value>[^\s()]*\d[^\s()]*(?:\s%)?)\)?"
)


@dataclass(frozen=True)
class Disc:
    x: float
    y: float
    radius: float
    slices: tuple[Shape, ...]

    def angle(self, part: Shape | Word) -> float:
        """Clockwise from the top."""
        return (atan2(part.x - self.x, self.y - part.y)) % tau


@dataclass
class Told:
    """The words that belong to a slice."""

    names: list[Word] = field(default_factory=list)
    values: list[Word] = field(default_factory=list)

    def point(self) -> Point:
        name, value = joined(self.names), joined(self.values)
        both = _NAME_AND_VALUE.fullmatch(name)
        if both and not value and number(both["value"]) is not None:
            name, value = both["name"], both["value"]
        label = without_marks(name).rstrip(":") or "(unlabelled slice)"
        return Point(label, (Value(value),) if value else ())


def pie(picture: Picture) -> list[str] | None:
    disc = _disc(picture)
    if disc is None:
        return None
    by_color = {part.color: part for part in disc.slices}
    entries = legend(picture, by_color)
    told = {part: Told() for part in sorted(disc.slices, key=disc.angle)}
    named = {entry.word: by_color[entry.color] for entry in entries}
    above = [word for word in picture.words if word.y < disc.y - disc.radius]
    heading = set(above[:1] and [min(above, key=lambda word: word.y)]) - set(named)
    for word in picture.words:
        part = named.get(word) or _slice_of(word, disc, picture.canvas)
        if part is None or (word in heading and named):
            continue
        is_value = all(number(piece.text) is not None for piece in pieces(word))
        if is_value:
            told[part].values.append(word)
        elif word in named or not named:
            told[part].names.append(word)
    _without_heading(told, heading)
    used = [word for words in told.values() for word in (*words.names, *words.values)]
    if not used:
        return None
    order = list(named.values()) if len(named) == len(told) else list(told)
    plot = [word for word in used if word not in named] or used
    around = surroundings(picture, plot, entries)
    points = tuple(told[part].point() for part in order)
    other = " | ".join(filter(None, (around.across, around.up, around.other)))
    return list(Chart("Pie chart", "slices", points, around.title, other=other).lines())


def _without_heading(told: dict[Shape, Told], heading: set[Word]) -> None:
    """A title right above a slice is not its label if the slice has another one."""
    for words in told.values():
        rest = [word for word in words.names if word not in heading]
        if rest:
            words.names = rest


def _disc(picture: Picture) -> Disc | None:
    canvas = picture.canvas
    large = [
        shape
        for shape in canvas.blocks
        if shape.area > _SMALLEST_SLICE * canvas.width * canvas.height
        and shape.filled > _LEAST_FILLED
    ]
    for cluster in _clusters(large, picture.unit):
        disc = _round(cluster)
        if disc and len(cluster) > 1 and _has_rim(disc, canvas):
            return disc
    return None


def _clusters(shapes: Sequence[Shape], slack: float) -> list[list[Shape]]:
    """Those whose boxes touch, one with the other."""
    found: list[list[Shape]] = []
    for shape in shapes:
        near = [group for group in found if any(_touch(shape, other, slack) for other in group)]
        found = [group for group in found if group not in near]
        found.append([shape, *(other for group in near for other in group)])
    return found


def _touch(one: Shape, other: Shape, slack: float) -> bool:
    return (
        one.left - slack < other.right
        and other.left - slack < one.right
        and one.top - slack < other.bottom
        and other.top - slack < one.bottom
    )


def _round(cluster: Sequence[Shape]) -> Disc | None:
    left, top = min(part.left for part in cluster), min(part.top for part in cluster)
    right, bottom = max(part.right for part in cluster), max(part.bottom for part in cluster)
    width, height = right - left, bottom - top
    if abs(width - height) > _ROUND * max(width, height):
        return None
    return Disc((left + right) / 2, (top + bottom) / 2, (width + height) / 4, tuple(cluster))


def _has_rim(disc: Disc, canvas: Canvas) -> bool:
    colors = {part.color for part in disc.slices}

    def covered(radii: float) -> float:
        turns = (tau * sample / _SAMPLES for sample in range(_SAMPLES))
        reach = radii * disc.radius
        seen = (canvas.at(disc.x + reach * sin(t), disc.y - reach * cos(t)) for t in turns)
        return sum(color in colors for color in seen) / _SAMPLES

    return covered(_WITHIN) > _MOSTLY and covered(_BEYOND) < _HARDLY


def _slice_of(word: Word, disc: Disc, canvas: Canvas) -> Shape | None:
    """The slice that the word is printed on, or that it is next to."""
    colors = {part.color for part in disc.slices}
    if hypot(word.x - disc.x, word.y - disc.y) < disc.radius:
        color = canvas.around(word)
        on_it = [part for part in disc.slices if part.color == color]
        return min(
            on_it, key=lambda part: abs(part.x - word.x) + abs(part.y - word.y), default=None
        )
    x = min(max(disc.x, word.left), word.right)
    y = min(max(disc.y, word.top), word.bottom)
    distance = hypot(x - disc.x, y - disc.y)
    if distance > _LABEL_REACH * disc.radius:
        return None
    turn = atan2(x - disc.x, disc.y - y)
    for radii in (0.97, 0.92, 0.85, 0.75):
        reach = radii * disc.radius
        color = canvas.at(disc.x + reach * sin(turn), disc.y - reach * cos(turn))
        if color in colors:
            on_it = [part for part in disc.slices if part.color == color]
            return min(on_it, key=lambda part: _apart(disc.angle(part), turn))
    return None


def _apart(one: float, other: float) -> float:
    return abs((one - other + pi) % tau - pi)

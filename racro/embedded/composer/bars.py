"""Bars among the shapes of a picture: rectangles as wide as one another on one base line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from racro.embedded.composer.pixels import Shape

# Text inside of a bar leaves at least this share of it.
_FILLED = 0.6
_ALIKE = 0.15
_NARROWEST = 0.4
_FEWEST = 2
# A gap between groups is at least twice one within a group.
_WITHIN_GROUP = 0.5


@dataclass(frozen=True)
class Column:
    """Bars above one another: one, or the parts of a stack."""

    bars: tuple[Shape, ...]

    @property
    def left(self) -> float:
        return min(bar.left for bar in self.bars)

    @property
    def right(self) -> float:
        return max(bar.right for bar in self.bars)

    @property
    def x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def width(self) -> float:
        return self.right - self.left


def columns_of_bars(shapes: Sequence[Shape], unit: float) -> list[Column]:
    """From left to right; none if the shapes do not make a bar chart."""
    solid = [
        shape
        for shape in shapes
        if shape.filled > _FILLED and shape.width > _NARROWEST * unit and shape.height > unit / 8
    ]
    slack = unit / 5
    bases = {round(shape.bottom / slack): shape.bottom for shape in solid}.values()
    standing = max((_standing_on(base, solid, slack) for base in bases), key=len, default=[])
    found: list[list[Shape]] = []
    for bar in sorted(standing, key=lambda bar: bar.x):
        if not (found and bar.x - found[-1][0].x < bar.width / 2):
            found.append([other for other in solid if _is_stacked(bar, other, slack)])
    return [Column(tuple(column)) for column in found]


def _standing_on(base: float, shapes: Sequence[Shape], slack: float) -> list[Shape]:
    """Those of the usual width that stand on the base line or hang from it."""
    standing = [shape for shape in shapes if abs(shape.bottom - base) <= slack]
    # What hangs below a standing one is the lower part of a stack.
    hanging = [
        shape
        for shape in shapes
        if abs(shape.top - base) <= slack
        and not any(abs(shape.x - other.x) < other.width / 2 for other in standing)
    ]
    touching = standing + hanging
    usual = sorted(shape.width for shape in touching)[len(touching) // 2]
    alike = [shape for shape in touching if abs(shape.width - usual) <= _ALIKE * usual + 2]
    heights = [shape.height for shape in alike]
    # Cells, buttons and stripes of a table are all equally high.
    varied = len(alike) >= _FEWEST and max(heights) - min(heights) > slack
    return alike if varied else []


def _is_stacked(bar: Shape, other: Shape, slack: float) -> bool:
    return abs(bar.left - other.left) <= slack and abs(bar.right - other.right) <= slack


def groups(columns: Sequence[Column]) -> list[list[Column]]:
    """Columns that stand closer together than others and differ in colour; else one by one."""
    gaps = [right.left - left.right for left, right in pairwise(columns)]
    one_by_one = [[column] for column in columns]
    colors = {bar.color for column in columns for bar in column.bars}
    if not gaps or min(gaps) > _WITHIN_GROUP * max(gaps) or len(colors) < _FEWEST:
        return one_by_one
    limit = (min(gaps) + max(gaps)) / 2
    found = one_by_one[:1]
    for gap, column in zip(gaps, columns[1:], strict=True):
        if gap > limit:
            found.append([column])
        else:
            found[-1].append(column)
    return found

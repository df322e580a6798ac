"""The lines of a line chart: one colour, once in most columns of pixels, at changing heights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from racro.embedded.composer.layout import Picture
from racro.embedded.composer.pixels import BACKGROUND, MIXED

# Shares of the picture's width that a line spans, and of that span it is drawn in (dashes).
_SPAN, _DRAWN = 0.3, 0.5
# In heights of the usual text: a line is thinner, and an axis departs less from its height.
_THICK, _LEVEL = 1.0, 0.3
_DEPARTING = 0.3
_LOOSE = 1.5
_LEAPING = 0.1


@dataclass(frozen=True, eq=False)
class Line:
    color: int
    xs: NDArray[np.floating]
    ys: NDArray[np.floating]

    @property
    def left(self) -> float:
        return float(self.xs[0])

    @property
    def right(self) -> float:
        return float(self.xs[-1])

    def y_at(self, x: float) -> float:
        return float(np.interp(x, self.xs, self.ys))


def lines_in(picture: Picture) -> list[Line]:
    bare = picture.canvas.without(picture.words)
    colors = [
        color for color in np.unique(bare.colors).tolist() if color not in (BACKGROUND, MIXED)
    ]
    found = (_line(color, bare.colors == color, bare.step, picture.unit) for color in colors)
    return [line for line in found if line]


def _line(color: int, mask: NDArray[np.bool_], step: int, unit: float) -> Line | None:
    heights = mask.sum(axis=0)
    xs = np.flatnonzero(heights)
    if len(xs) <= 1 or xs[-1] - xs[0] < _SPAN * mask.shape[1] or len(xs) < _DRAWN * np.ptp(xs):
        return None
    ys = (np.arange(len(mask)) @ mask)[xs] / heights[xs]
    departing = np.abs(ys - np.median(ys)) * step > _LEVEL * unit
    is_thin = np.median(heights[xs]) * step < _THICK * unit
    # Once in each column: the outline of a figure has an upper and a lower side.
    spread = len(mask) - mask[::-1, xs].argmax(axis=0) - mask[:, xs].argmax(axis=0)
    is_single = (spread <= _LOOSE * heights[xs] + unit / step / 2).mean() > _DRAWN
    # Connected: the points of a scatter plot leap.
    leaps = (np.abs(np.diff(ys)) * step > unit).mean()
    if not (is_thin and is_single) or leaps > _LEAPING or departing.mean() < _DEPARTING:
        return None
    return Line(color, xs * float(step), ys * float(step))

"""The few flat colours of a drawing, and the connected shapes they form."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from racro.embedded.composer.words import Box, Word

BACKGROUND = 0
# No flat colour: the smoothed edge of something, or a photograph.
MIXED = 255
# Enough for bars and legend swatches; more would only cost time.
_SIDE = 800
_MOST_COLORS = 16
_MOST_SHAPES = 400
# Of the pixels; what is rarer is a smoothed edge.
_RARE = 0.0003
_BITS = 5
_SMALLEST_SHAPE = 6
_THIN = 3
# A background beside the background: grey to this spread and this close to it, of 32 levels.
_GREY, _CLOSE = 4, 8
# Of its pixels, above its first full row.
_RAGGED = 0.04
# Pixels this close to a flat colour have it.
_SAME = 2


@dataclass(frozen=True)
class Shape(Box):
    """A connected area of one colour, its box in pixels of the picture."""

    color: int
    left: float
    top: float
    right: float
    bottom: float
    area: float

    @property
    def filled(self) -> float:
        return self.area / max(self.width * self.height, 1)


@dataclass(frozen=True, eq=False)
class Canvas:
    """Which colour each `step`-th pixel has: BACKGROUND, 1, 2, … or MIXED."""

    colors: NDArray[np.uint8]
    step: int

    @property
    def width(self) -> float:
        return float(self.colors.shape[1] * self.step)

    @property
    def height(self) -> float:
        return float(self.colors.shape[0] * self.step)

    def region(self, left: float, top: float, right: float, bottom: float) -> NDArray[np.uint8]:
        spans = ((top, bottom, self.colors.shape[0]), (left, right, self.colors.shape[1]))
        vertical, horizontal = (
            slice(*(int(np.clip(edge // self.step, 0, size)) for edge in (low, high)))
            for low, high, size in spans
        )
        return self.colors[vertical, horizontal]

    def at(self, x: float, y: float) -> int:
        found = self.region(x, y, x + self.step, y + self.step)
        return int(found[0, 0]) if found.size else BACKGROUND

    def around(self, word: Word) -> int:
        """The colour that the word is printed on."""
        box = self.region(word.left, word.top, word.right, word.bottom)
        return commonest(np.concatenate([box[:1].ravel(), box[-1:].ravel()]))

    def without(self, words: Sequence[Word]) -> "Canvas":
        """The canvas with these words painted over."""
        painted = Canvas(self.colors.copy(), self.step)
        for word in words:
            painted.region(word.left, word.top, word.right, word.bottom)[:] = BACKGROUND
        return painted

    @cached_property
    def blocks(self) -> list[Shape]:
        """The shapes without thin lines (which may join bars to the axes), largest first."""
        brush = np.ones((_THIN, _THIN), np.uint8)
        masks = ((color, (self.colors == color).astype(np.uint8)) for color in self._present())
        thick = ((color, cv2.dilate(cv2.erode(mask, brush), brush)) for color, mask in masks)
        return self._shapes((color, mask.astype(np.uint8)) for color, mask in thick)

    def shapes(self, colors: Collection[int] | None = None) -> list[Shape]:
        """Those of these colours (else: of all), largest first."""
        wanted = self._present() if colors is None else colors
        return self._shapes((color, (self.colors == color).astype(np.uint8)) for color in wanted)

    def _present(self) -> list[int]:
        counts = np.bincount(self.colors.ravel(), minlength=MIXED + 1)
        counts[[BACKGROUND, MIXED]] = 0
        return [int(color) for color in np.flatnonzero(counts)]

    def _shapes(self, masks: Iterable[tuple[int, NDArray[np.uint8]]]) -> list[Shape]:
        step = self.step
        found = [
            Shape(
                color, x * step, y * step, (x + width) * step, (y + height) * step, size * step**2
            )
            for color, mask in masks
            for x, y, width, height, size in _components(mask)
        ]
        return sorted(found, key=lambda shape: -shape.area)[:_MOST_SHAPES]


def _components(mask: NDArray[np.uint8]) -> list[list[int]]:
    if not mask.any():
        return []
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    stats = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= _SMALLEST_SHAPE]
    largest = np.argsort(-stats[:, cv2.CC_STAT_AREA])[:_MOST_SHAPES]
    found: list[list[int]] = stats[largest].tolist()
    return found


def commonest(colors: NDArray[np.uint8]) -> int:
    """Of flat colours; BACKGROUND if there is none."""
    counts = np.bincount(colors.ravel(), minlength=MIXED + 1)[:MIXED]
    return int(counts.argmax())


def canvas_of(pixels: NDArray[np.uint8] | None) -> Canvas:
    """Of red, green and blue; without them nothing is known but the words."""
    if pixels is None or pixels.size == 0 or pixels.shape[2:] != (3,):
        return Canvas(np.zeros((1, 1), np.uint8), 1)
    step = max(1, -(-max(pixels.shape[:2]) // _SIDE))
    levels = pixels[::step, ::step].astype(np.int32) >> (8 - _BITS)
    codes = levels @ np.array([1 << 2 * _BITS, 1 << _BITS, 1])
    chosen = _flat_colors(codes)
    colors = _nearest(codes, chosen)[codes]
    return Canvas(_without_backgrounds(colors, chosen), step)


def _levels(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    mask = (1 << _BITS) - 1
    return np.stack([codes >> 2 * _BITS & mask, codes >> _BITS & mask, codes & mask], axis=-1)


def _flat_colors(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The levels of the commonest colours, the border's own (the background) first."""
    counts = np.bincount(codes.ravel(), minlength=1 << 3 * _BITS)
    border = np.concatenate([codes[0], codes[-1], codes[:, 0], codes[:, -1]])
    chosen = _levels(np.array([np.bincount(border).argmax()]))
    common = np.argsort(-counts, kind="stable")[: 4 * _MOST_COLORS]
    for levels in _levels(common[counts[common] > _RARE * codes.size]):
        if len(chosen) < _MOST_COLORS and np.abs(chosen - levels).max(axis=1).min() > 1:
            chosen = np.vstack([chosen, levels])
    return chosen


def _nearest(codes: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
    """For each colour code that occurs, the nearest chosen colour's index, or MIXED."""
    nearest = np.full(1 << 3 * _BITS, MIXED, np.uint8)
    present = np.flatnonzero(np.bincount(codes.ravel()))
    levels = _levels(present)
    distances = np.stack([np.abs(levels - color).max(axis=1) for color in chosen])
    is_near = distances.min(axis=0) <= _SAME
    nearest[present[is_near]] = distances.argmin(axis=0)[is_near]
    return nearest


def _without_backgrounds(colors: NDArray[np.uint8], chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
    """A plot area of a colour close to the page's is background, too, and so are faint lines."""
    for index, levels in enumerate(chosen[1:], start=1):
        grey = levels.max() - levels.min() <= _GREY
        close = np.abs(levels - chosen[0]).max() <= _CLOSE
        if grey and close and not _has_ragged_top(colors == index):
            colors = np.where(colors == index, BACKGROUND, colors).astype(np.uint8)
    return colors


def _has_ragged_top(mask: NDArray[np.bool_]) -> bool:
    """As bars of different heights have, and a plot area has not."""
    widths = mask.sum(axis=1)
    if not widths.any():
        return False
    full = int((widths > widths.max() / 2).argmax())
    return bool(widths[:full].sum() > _RAGGED * widths.sum())

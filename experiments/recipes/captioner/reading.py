"""To read, before it can tell: which characters stand in each cell of 16 x 16 pixels, and which
number belongs to the name in it.

Captions alone teach that late: a number must be seen, and found by its name, before it can be told.
What is printed where is known to who draws it.
"""

import string
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from experiments.recipes.captioner.canvas import HEIGHT, WIDTH, Glyph, Label
from experiments.recipes.captioner.model import MERGED, PATCH

CELL = PATCH * MERGED
COLUMNS, ROWS = WIDTH // CELL, HEIGHT // CELL
_SLOTS = 4
_NOTHING = 0
_CLASSES = {
    character: at for at, character in enumerate(string.ascii_letters + string.digits + "%", 1)
}
# Tens up to ten, and units; each one more than the digit.
_DIGITS = 2
_TENS_AND_UNITS = 12
# There are many more empty places than print.
_WEIGHT_OF_NOTHING = 0.1


def cell_of(x: float, y: float) -> int:
    """Of pixels."""
    row = min(ROWS - 1, max(0, int(y / CELL)))
    column = min(COLUMNS - 1, max(0, int(x / CELL)))
    return row * COLUMNS + column


def characters(glyphs: Iterable[Glyph]) -> npt.NDArray[np.int64]:
    """Classes, cells x slots: characters whose middle is in a cell, from left to right."""
    classes = np.full((ROWS * COLUMNS, _SLOTS), _NOTHING, np.int64)
    taken = np.zeros(ROWS * COLUMNS, int)
    for glyph in sorted(glyphs, key=lambda glyph: glyph.x):
        cell = cell_of(glyph.x, glyph.y)
        if taken[cell] < _SLOTS and glyph.character in _CLASSES:
            classes[cell, taken[cell]] = _CLASSES[glyph.character]
            taken[cell] += 1
    return classes


def numbers(labels: Iterable[Label]) -> npt.NDArray[np.int64]:
    """Classes, cells x (tens, units): of the number whose name has its middle in a cell."""
    classes = np.full((ROWS * COLUMNS, _DIGITS), _NOTHING, np.int64)
    for label in labels:
        classes[cell_of(label.x, label.y)] = label.number // 10 + 1, label.number % 10 + 1
    return classes


class Reader(nn.Module):  # type: ignore[misc]  # torch is not there to be checked
    """Linear layers on the captioner's image tokens, thrown away after training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, _SLOTS * (len(_CLASSES) + 1))
        self.head_of_numbers = nn.Linear(width, _DIGITS * _TENS_AND_UNITS)

    def characters(
        self, tokens: torch.Tensor, wanted: Iterable[Iterable[Glyph]]
    ) -> tuple[torch.Tensor, float]:
        """Of tokens (images x cells x width): the loss, and the share that is read right."""
        return _judged(self.head(tokens), np.stack([characters(glyphs) for glyphs in wanted]))

    def numbers(
        self, tokens: torch.Tensor, wanted: Iterable[Iterable[Label]]
    ) -> tuple[torch.Tensor, float]:
        """As `characters`, of the digits of numbers."""
        scores = self.head_of_numbers(tokens)
        return _judged(scores, np.stack([numbers(labels) for labels in wanted]))


def _judged(scores: torch.Tensor, wanted: npt.NDArray[np.int64]) -> tuple[torch.Tensor, float]:
    classes = torch.from_numpy(wanted).flatten()
    scores = scores.reshape(len(classes), -1).float()
    is_something = classes != _NOTHING
    weights = torch.where(is_something, 1.0, _WEIGHT_OF_NOTHING)
    losses = functional.cross_entropy(scores, classes, reduction="none")
    right = (scores.argmax(-1) == classes)[is_something].float().mean()
    return (losses * weights).sum() / weights.sum(), right.item()

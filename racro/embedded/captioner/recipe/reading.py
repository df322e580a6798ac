"""To read, before it can tell: which characters stand in each cell of 16 x 16 pixels.

The caption alone teaches reading slowly, for a plateau of tens of thousands of pictures: a number
must be seen before it can be told. What is printed where is known to who draws it.
"""

import string
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from racro.embedded.captioner.recipe.canvas import HEIGHT, WIDTH, Glyph
from racro.embedded.captioner.recipe.model import MERGED, PATCH

CELL = PATCH * MERGED
COLUMNS, ROWS = WIDTH // CELL, HEIGHT // CELL
_SLOTS = 4
_NOTHING = 0
_CLASSES = {
    character: at for at, character in enumerate(string.ascii_letters + string.digits + "%", 1)
}
# There are many more empty slots than print.
_WEIGHT_OF_NOTHING = 0.1


def cells(glyphs: Iterable[Glyph]) -> npt.NDArray[np.int64]:
    """Classes, cells x slots: characters whose middle is in a cell, from left to right."""
    classes = np.zeros((ROWS, COLUMNS, _SLOTS), np.int64)
    taken = np.zeros((ROWS, COLUMNS), int)
    for glyph in sorted(glyphs, key=lambda glyph: glyph.x):
        row = min(ROWS - 1, max(0, int(glyph.y / CELL)))
        column = min(COLUMNS - 1, max(0, int(glyph.x / CELL)))
        if taken[row, column] < _SLOTS and glyph.character in _CLASSES:
            classes[row, column, taken[row, column]] = _CLASSES[glyph.character]
            taken[row, column] += 1
    return classes.reshape(ROWS * COLUMNS, _SLOTS)


class Reading(nn.Module):  # type: ignore[misc]  # torch is not there to be checked
    """Reads the captioner's image tokens, and is thrown away after training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(width, _SLOTS * (len(_CLASSES) + 1))

    def forward(
        self, tokens: torch.Tensor, glyphs: Sequence[Sequence[Glyph]]
    ) -> tuple[torch.Tensor, float]:
        """Of tokens (images x cells x width): the loss, and the share of characters read right."""
        classes = torch.from_numpy(np.stack([cells(image) for image in glyphs])).flatten()
        scores = self.head(tokens).reshape(len(classes), -1).float()
        printed = classes != _NOTHING
        weights = torch.where(printed, 1.0, _WEIGHT_OF_NOTHING)
        losses = functional.cross_entropy(scores, classes, reduction="none")
        right = (scores.argmax(-1) == classes)[printed].float().mean()
        return (losses * weights).sum() / weights.sum(), right.item()

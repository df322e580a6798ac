"""What a picture shows: a few named numbers, and how they are drawn."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from experiments.recipes.captioner import charts, figures, tables
from experiments.recipes.captioner.canvas import Canvas, Glyph, Label
from experiments.recipes.captioner.facts import Facts

Kind = Literal["bars", "lines", "pie", "table", "triangle", "rectangle", "counting"]
_DRAWERS: dict[Kind, Callable[[random.Random, Canvas], Facts]] = {
    "bars": charts.bars,
    "lines": charts.lines,
    "pie": charts.pie,
    "table": tables.table,
    "triangle": figures.triangle,
    "rectangle": figures.rectangle,
    "counting": figures.counting,
}
KINDS: tuple[Kind, ...] = tuple(_DRAWERS)


@dataclass(frozen=True)
class Scene:
    """`image`: 128 x 96, RGB."""

    kind: Kind
    facts: Facts
    image: Image.Image
    glyphs: Sequence[Glyph]
    labels: Sequence[Label]


def draw_scene(rng: random.Random, kind: Kind) -> Scene:
    canvas = Canvas(rng)
    facts = _DRAWERS[kind](rng, canvas)
    return Scene(kind, facts, canvas.finished(), canvas.glyphs, canvas.labels)

"""Words and numbers scattered over a page: more print than any chart has, to learn reading by."""

import random

from experiments.recipes.captioner.canvas import HEIGHT, WIDTH, Canvas
from experiments.recipes.captioner.facts import names

_CORNERS = "ABCDEFKLMPQRXYZ"


def page(rng: random.Random, canvas: Canvas) -> None:
    y = rng.uniform(6, 14)
    while y < HEIGHT - 4:
        x = rng.uniform(2, 30)
        while x + canvas.width_of(text := _item(rng)) < WIDTH - 2:
            if rng.random() < 0.8:
                canvas.text((x, y), text, anchor="lm")
            x += canvas.width_of(text) + rng.uniform(6, 24)
        if rng.random() < 0.2:
            canvas.draw.line((4, y + 8, WIDTH - 4, y + 8), fill=canvas.ink)
        y += canvas.line_height + rng.uniform(3, 12)


def _item(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return str(rng.randint(0, 100))
    if kind < 0.5:
        return f"{rng.randint(1, 99)}%"
    if kind < 0.55:
        return rng.choice(_CORNERS)
    return names(rng, 1)[0]

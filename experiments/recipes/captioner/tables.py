"""Tables of a name and a number a row."""

import random

from experiments.recipes.captioner.canvas import HEIGHT, WIDTH, Canvas
from experiments.recipes.captioner.facts import Facts, different, names

_HEADS = ("Item", "Name", "Sort")
_NUMBERS = ("No", "Sum", "Qty")


def table(rng: random.Random, canvas: Canvas) -> Facts:
    labels = names(rng, rng.randint(2, 5))
    values = different(rng, len(labels), 4, 99)
    head = (rng.choice(_HEADS), rng.choice(_NUMBERS)) if rng.random() < 0.6 else None
    rows = len(labels) + (head is not None)
    height = min((HEIGHT - 4) / rows, rng.uniform(13, 18))
    top = rng.uniform(2, HEIGHT - 2 - height * rows)
    left = rng.uniform(2, 20)
    right = WIDTH - rng.uniform(2, 20)
    middle = left + (right - left) * rng.uniform(0.5, 0.65)
    shaded = canvas.colour() if head and rng.random() < 0.4 else None
    if shaded:
        pale = tuple(int(255 - (255 - channel) * 0.4) for channel in shaded)
        canvas.draw.rectangle((left, top, right, top + height), fill=pale)
    y = top + height / 2
    if head:
        canvas.text((left + 4, y), head[0], anchor="lm")
        canvas.text((right - 4, y), head[1], anchor="rm")
        y += height
    for label, value in zip(labels, values, strict=True):
        canvas.label((left + 4, y), label, value, anchor="lm")
        canvas.text((right - 4, y), str(value), anchor="rm")
        y += height
    _rules(rng, canvas, (left, top, right, top + height * rows), middle, rows)
    return Facts("Table.", dict(zip(labels, values, strict=True)))


def _rules(
    rng: random.Random,
    canvas: Canvas,
    box: tuple[float, float, float, float],
    middle: float,
    rows: int,
) -> None:
    """A grid, lines below the rows, or none."""
    left, top, right, bottom = box
    style = rng.random()
    if style < 0.7:
        for at in range(rows + 1):
            y = top + (bottom - top) * at / rows
            canvas.draw.line((left, y, right, y), fill=canvas.ink)
    if style < 0.4:
        for x in (left, middle, right):
            canvas.draw.line((x, top, x, bottom), fill=canvas.ink)

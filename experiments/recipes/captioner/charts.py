"""Bar, line and pie charts, with their values printed or to be read off an axis."""

import math
import random
from collections.abc import Sequence

from experiments.recipes.captioner.canvas import HEIGHT, WIDTH, Canvas
from experiments.recipes.captioner.facts import Facts, different, names

_PRINTED = 0.7
_TICKS = (0, 50, 100)


def bars(rng: random.Random, canvas: Canvas) -> Facts:
    return _lying_bars(rng, canvas) if rng.random() < 0.4 else _standing_bars(rng, canvas)


def _values(rng: random.Random, count: int, *, printed: bool) -> list[int]:
    """What an axis tells is a multiple of ten."""
    return different(rng, count, 4, 99) if printed else different(rng, count, 1, 10, step=10)


def _standing_bars(rng: random.Random, canvas: Canvas) -> Facts:
    printed = rng.random() < _PRINTED
    left = 4 if printed else canvas.width_of("100") + 4
    labels = names(rng, rng.randint(2, 4))
    values = _values(rng, len(labels), printed=printed)
    base = HEIGHT - canvas.line_height - rng.randint(4, 7)
    top = canvas.line_height + rng.randint(4, 8)
    if not printed:
        _axis(canvas, left, base, top, grid=rng.random() < 0.5)
    slot = (WIDTH - 2 - left) / len(labels)
    half = slot * rng.uniform(0.2, 0.4)
    one_colour = canvas.colour() if rng.random() < 0.5 else None
    for at, (label, value) in enumerate(zip(labels, values, strict=True)):
        x = left + (at + 0.5) * slot
        height = base - (base - top) * value / 100
        outline = canvas.ink if rng.random() < 0.3 else None
        canvas.draw.rectangle(
            (x - half, height, x + half, base), fill=one_colour or canvas.colour(), outline=outline
        )
        canvas.label((x, base + 3), label, value, anchor="mt")
        if printed:
            canvas.text((x, height - 2), str(value), anchor="mb")
    canvas.draw.line((left, base, WIDTH - 2, base), fill=canvas.ink)
    return Facts("Bar chart.", dict(zip(labels, values, strict=True)))


def _axis(canvas: Canvas, x: float, base: float, top: float, *, grid: bool) -> None:
    for tick in _TICKS:
        y = base - (base - top) * tick / 100
        canvas.text((x - 2, y), str(tick), anchor="rm")
        canvas.draw.line((x, y, WIDTH - 2 if grid else x + 2, y), fill=canvas.ink)
    canvas.draw.line((x, base, x, top), fill=canvas.ink)


def _lying_bars(rng: random.Random, canvas: Canvas) -> Facts:
    """Always printed: beside the bars is room for it."""
    labels = names(rng, rng.randint(2, 4))
    values = different(rng, len(labels), 4, 99)
    left = max(map(canvas.width_of, labels)) + 5
    longest = WIDTH - left - canvas.width_of("00") - 6
    slot = (HEIGHT - 6) / len(labels)
    half = min(slot * rng.uniform(0.25, 0.4), 10)
    one_colour = canvas.colour() if rng.random() < 0.5 else None
    for at, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = 3 + (at + 0.5) * slot
        end = left + longest * value / 100
        canvas.label((left - 3, y), label, value, anchor="rm")
        canvas.draw.rectangle((left, y - half, end, y + half), fill=one_colour or canvas.colour())
        canvas.text((end + 3, y), str(value), anchor="lm")
    canvas.draw.line((left, 3, left, HEIGHT - 3), fill=canvas.ink)
    return Facts("Bar chart.", dict(zip(labels, values, strict=True)))


def lines(rng: random.Random, canvas: Canvas) -> Facts:
    printed = rng.random() < _PRINTED
    left = 4 if printed else canvas.width_of("100") + 4
    labels = names(rng, rng.randint(3, 4))
    values = _values(rng, len(labels), printed=printed)
    base = HEIGHT - canvas.line_height - rng.randint(4, 7)
    top = canvas.line_height + rng.randint(4, 8)
    if printed:
        canvas.draw.line((left, base, WIDTH - 2, base), fill=canvas.ink)
    else:
        _axis(canvas, left, base, top, grid=rng.random() < 0.5)
    slot = (WIDTH - 2 - left) / len(labels)
    points = [
        (left + (at + 0.5) * slot, base - (base - top) * value / 100)
        for at, value in enumerate(values)
    ]
    colour = canvas.colour()
    canvas.draw.line(points, fill=colour, width=rng.randint(1, 2))
    for (x, y), label, value in zip(points, labels, values, strict=True):
        canvas.draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)
        canvas.label((x, base + 3), label, value, anchor="mt")
        if printed:
            canvas.text((x, y - 3), str(value), anchor="mb")
    return Facts("Line chart.", dict(zip(labels, values, strict=True)))


def pie(rng: random.Random, canvas: Canvas) -> Facts:
    """Shares in percent, printed in the legend's lines or to be read off the angle."""
    printed = rng.random() < _PRINTED
    labels = names(rng, rng.randint(2, 4))
    values = _shares(rng, len(labels), step=1 if printed else 10)
    radius = rng.randint(22, 30)
    on_left = rng.random() < 0.5
    x = radius + 4 if on_left else WIDTH - radius - 4
    y = HEIGHT / 2 + rng.randint(-6, 6)
    box = (x - radius, y - radius, x + radius, y + radius)
    angle = rng.uniform(0, 360)
    text_x = 2 * radius + 16 if on_left else 12
    slot = HEIGHT / (len(labels) + 1)
    for at, (label, value) in enumerate(zip(labels, values, strict=True)):
        colour = _told_apart(canvas, at, len(labels))
        canvas.draw.pieslice(box, angle, angle + 3.6 * value, fill=colour, outline=canvas.paper)
        angle += 3.6 * value
        y = (at + 1) * slot
        canvas.draw.rectangle((text_x - 8, y - 3, text_x - 2, y + 3), fill=colour)
        more = f" {value}%" if printed else ""
        canvas.label((text_x, y), label, value, anchor="lm", more=more)
    return Facts("Pie chart.", dict(zip(labels, values, strict=True)), unit="%")


def _told_apart(canvas: Canvas, at: int, count: int) -> tuple[int, int, int]:
    """Around the colour wheel, with a shade of its own."""
    turn = 2 * math.pi * at / count
    swing = [110 * math.cos(turn + third) for third in (0, 2.1, 4.2)]
    red, green, blue = (
        int(min(255, max(0, 128 + wave + (channel - 128) * 0.3)))
        for wave, channel in zip(swing, canvas.colour(), strict=True)
    )
    return red, green, blue


def _shares(rng: random.Random, count: int, *, step: int) -> list[int]:
    """All different, each at least 5 (or 10), together 100."""
    least = max(1, 5 // step)
    while True:
        cuts = sorted(rng.sample(range(1, 100 // step), count - 1))
        parts = _parts(cuts, 100 // step)
        if len(set(parts)) == count and min(parts) >= least:
            return [step * part for part in parts]


def _parts(cuts: Sequence[int], whole: int) -> list[int]:
    return [end - start for start, end in zip([0, *cuts], [*cuts, whole], strict=True)]

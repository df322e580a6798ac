"""Triangles and rectangles with printed lengths, and coloured shapes to be counted."""

import math
import random

from experiments.recipes.captioner.canvas import HEIGHT, WIDTH, Canvas, Colour, Point
from experiments.recipes.captioner.facts import Facts, different

_CORNERS = ("ABC", "PQR", "KLM", "XYZ", "DEF")
_COLOURS: dict[str, Colour] = {
    "red": (215, 40, 40),
    "blue": (40, 70, 215),
    "green": (30, 150, 60),
    "yellow": (235, 200, 30),
}
_SHAPES = ("circle", "square", "triangle")
_GRID = (6, 4)


def triangle(rng: random.Random, canvas: Canvas) -> Facts:
    corners = _triangle(rng)
    letters = rng.choice(_CORNERS)
    sides = different(rng, 3, 3, 60)
    centre = (sum(x for x, _ in corners) / 3, sum(y for _, y in corners) / 3)
    filled = canvas.colour() if rng.random() < 0.3 else None
    canvas.draw.polygon(corners, fill=filled, outline=canvas.ink)
    for corner, letter in zip(corners, letters, strict=True):
        canvas.text(_outwards(corner, centre, 8), letter)
    numbers = {}
    for (start, end), length in zip(((0, 1), (1, 2), (0, 2)), sides, strict=True):
        middle = (
            (corners[start][0] + corners[end][0]) / 2,
            (corners[start][1] + corners[end][1]) / 2,
        )
        canvas.text(_outwards(middle, centre, 9), str(length))
        numbers[letters[start] + letters[end]] = length
    return Facts("Triangle.", numbers)


def _triangle(rng: random.Random) -> list[Point]:
    """Corners on a wide ellipse, none too near another."""
    turn = rng.uniform(0, 2 * math.pi)
    angles = [turn + third * 2 * math.pi / 3 + rng.uniform(-0.35, 0.35) for third in range(3)]
    return [(WIDTH / 2 + 42 * math.cos(a), HEIGHT / 2 + 30 * math.sin(a)) for a in angles]


def _outwards(point: Point, centre: Point, pixels: float) -> Point:
    dx, dy = point[0] - centre[0], point[1] - centre[1]
    distance = math.hypot(dx, dy) or 1
    return point[0] + dx / distance * pixels, point[1] + dy / distance * pixels


def rectangle(rng: random.Random, canvas: Canvas) -> Facts:
    """Its length above or below, its width beside it."""
    length, width = sorted(different(rng, 2, 3, 60), reverse=True)
    across = rng.uniform(50, 90)
    down = min(across * rng.uniform(0.4, 0.8), 58)
    x = WIDTH / 2 + rng.uniform(-8, 8)
    y = HEIGHT / 2 + rng.uniform(-6, 6)
    box = (x - across / 2, y - down / 2, x + across / 2, y + down / 2)
    filled = canvas.colour() if rng.random() < 0.3 else None
    canvas.draw.rectangle(box, fill=filled, outline=canvas.ink)
    canvas.text((x, box[1] - 3) if rng.random() < 0.5 else (x, box[3] + canvas.line_height + 3),
                str(length), anchor="mb")  # fmt: skip
    if rng.random() < 0.5:
        canvas.text((box[0] - 3, y), str(width), anchor="rm")
    else:
        canvas.text((box[2] + 3, y), str(width), anchor="lm")
    return Facts("Rectangle.", {"length": length, "width": width})


def counting(rng: random.Random, canvas: Canvas) -> Facts:
    kinds = rng.sample([(c, s) for c in _COLOURS for s in _SHAPES], rng.randint(2, 3))
    counts = different(rng, len(kinds), 1, 6)
    columns, rows = _GRID
    places = rng.sample([(c, r) for c in range(columns) for r in range(rows)], sum(counts))
    for (colour, shape), count in zip(kinds, counts, strict=True):
        for _ in range(count):
            column, row = places.pop()
            centre = (
                (column + 0.5) * WIDTH / columns + rng.uniform(-2, 2),
                (row + 0.5) * HEIGHT / rows + rng.uniform(-2, 2),
            )
            _shape(canvas, shape, centre, rng.uniform(5, 8), _COLOURS[colour])
    names = [f"{colour} {shape}s" for colour, shape in kinds]
    return Facts("Coloured shapes.", dict(zip(names, counts, strict=True)))


def _shape(canvas: Canvas, shape: str, centre: Point, size: float, colour: Colour) -> None:
    x, y = centre
    if shape == "circle":
        canvas.draw.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    elif shape == "square":
        canvas.draw.rectangle((x - size, y - size, x + size, y + size), fill=colour)
    else:
        canvas.draw.polygon(
            [(x, y - size), (x + size, y + size), (x - size, y + size)], fill=colour
        )

"""Pictures drawn from a number."""

import random

from PIL import Image, ImageDraw

from support.pictures import encoded


def noise(seed: int, kind: str = "PNG") -> bytes:
    pixels = random.Random(seed).randbytes(3 * 16 * 16)
    return encoded(Image.frombytes("RGB", (16, 16), pixels), kind)


def diagram(seed: int) -> Image.Image:
    """A triangle, a circle, a bar chart or a table, in black (or one colour) on white."""
    draw_from = random.Random(seed)
    size = draw_from.randint(300, 800), draw_from.randint(250, 600)
    image = Image.new("RGB", size, "white")
    _DRAWINGS[seed % len(_DRAWINGS)](ImageDraw.Draw(image), size, draw_from)
    return image


def _point(size, draw_from):
    return tuple(draw_from.randint(int(0.1 * side), int(0.9 * side)) for side in size)


def _triangle(draw, size, draw_from):
    corners = [_point(size, draw_from) for _ in range(3)]
    draw.polygon(corners, outline="black", width=2)
    for corner, letter in zip(corners, "ABC", strict=True):
        draw.text(corner, letter, fill="black", font_size=24)


def _circle(draw, size, draw_from):
    middle = _point(size, draw_from)
    draw.circle(middle, draw_from.randint(30, size[1] // 2), outline="black", width=2)
    draw.line([middle, _point(size, draw_from)], fill="black", width=2)


def _bars(draw, size, draw_from):
    number, (width, height) = draw_from.randint(3, 8), size
    for index in range(number):
        left = width * (0.1 + 0.8 * index / number)
        top = draw_from.uniform(0.15, 0.85) * height
        draw.rectangle([left, top, left + 0.6 * width / number, 0.9 * height], fill="#4477aa")


def _table(draw, size, draw_from):
    rows, columns = draw_from.randint(3, 7), draw_from.randint(2, 5)
    for row in range(rows):
        for column in range(columns):
            at = size[0] * (0.05 + 0.9 * column / columns), size[1] * (0.05 + 0.9 * row / rows)
            draw.text(at, str(draw_from.randint(1, 999)), fill="black", font_size=22)


_DRAWINGS = (_triangle, _circle, _bars, _table)

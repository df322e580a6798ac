"""Drawings of ordinary size that give OCR the most to do."""

import functools
from string import ascii_lowercase

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from support.pictures import encoded

_TILE = 500


def _tiled(tile: Image.Image, side: int) -> bytes:
    times = side // _TILE
    return encoded(Image.fromarray(np.tile(np.asarray(tile), (times, times))))


@functools.cache
def dense_text(side: int, *, font_size: int) -> bytes:
    """Return a square full of short words in that font size, as a gray PNG."""
    tile = Image.new("L", (_TILE, _TILE), "white")
    font = ImageFont.load_default(size=font_size)
    random = np.random.default_rng(font_size)
    # Every fifth is a space.
    line = "".join(random.choice(list(ascii_lowercase + 6 * " "), 400))
    draw = ImageDraw.Draw(tile)
    for number, top in enumerate(range(0, _TILE, round(1.3 * font_size))):
        draw.text((0, top), line[number:] + line[:number], font=font, fill="black")
    return _tiled(tile, side)


def words_apart(side: int, *, font_size: int) -> bytes:
    """Return a square full of words of two letters, so far apart that each is one to detect."""
    tile = Image.new("L", (_TILE, _TILE), "white")
    font = ImageFont.load_default(size=font_size)
    draw = ImageDraw.Draw(tile)
    for top in range(0, _TILE, 2 * font_size):
        for left in range(0, _TILE, 4 * font_size):
            draw.text((left, top), "ab", font=font, fill="black")
    return _tiled(tile, side)


def noise(side: int) -> bytes:
    """Return a square of random grays, as a JPEG."""
    pixels = np.random.default_rng(1).integers(0, 256, (side, side), np.uint8)
    return encoded(Image.fromarray(pixels), "JPEG", quality=30)


def checkerboard(side: int) -> bytes:
    """Return a square of cells of a pixel each."""
    rows, columns = np.indices((side, side), np.uint16)
    return encoded(Image.fromarray((rows + columns) % 2 == 0))


@functools.cache
def dashes(side: int, *, length: int, every: int) -> bytes:
    """Return a square of horizontal dashes (`length` and distance in pixels): dots, if short."""
    tile = Image.new("L", (_TILE, _TILE), "white")
    draw = ImageDraw.Draw(tile)
    for top in range(0, _TILE, every):
        for left in range(0, _TILE, 2 * length):
            draw.rectangle((left, top, left + length, top + every // 3), fill="black")
    return _tiled(tile, side)


def strip(width: int, height: int) -> bytes:
    """Return a strip with a word at its beginning."""
    image = Image.new("L", (width, height), "white")
    ImageDraw.Draw(image).text((0, 0), "strip", fill="black", font_size=min(width, height) // 2)
    return encoded(image)

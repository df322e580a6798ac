"""The pictures in strangers' files: four quarters that tell how they are turned, and ink."""

import functools
from typing import Any

from PIL import Image

from support.pictures import encoded
from support.stranger_files.expectations import (
    BLACK,
    COLOURS,
    ONE_BLACK,
    SIZE,
    Colour,
    Quarters,
    Size,
)

_ORIENTATION = 0x0112
# How a camera that is held in an orientation stores an upright picture: what undoes the turning.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@functools.cache
def quarters(colours: Quarters = COLOURS, size: Size = SIZE, mode: str = "RGB") -> Image.Image:
    """Return a picture of four quarters, row by row."""
    small = Image.new("RGB", (2, 2))
    small.putdata([colour or BLACK for colour in colours])
    return small.resize(size, Image.Resampling.NEAREST).convert(mode)


def black_and_white(size: Size = SIZE) -> Image.Image:
    return quarters(ONE_BLACK, size, "1")


def inked(ink: Colour, *, beneath: Colour = BLACK, opacity: int = 255) -> Image.Image:
    """Return a left half of opaque ink, and nothing on the right, over a colour nobody sees."""
    width, height = SIZE
    image = Image.new("RGBA", SIZE, (*beneath, 0))
    image.paste((*ink, opacity), (0, 0, width // 2, height))
    return image


def file_of(form: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """Return a picture in a format of Pillow's; without one the four quarters."""
    return encoded(quarters() if image is None else image, form, **options)


def turned(orientation: int) -> Image.Image:
    """Return the quarters as they are stored in a file with this EXIF orientation."""
    transposition = STORED[orientation]
    return quarters() if transposition is None else quarters().transpose(transposition)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return exif


def turned_file(form: str, orientation: int, **options: Any) -> bytes:
    """Return the quarters, turned, with the tag that says so."""
    return file_of(form, turned(orientation), exif=exif_of(orientation), **options)


def animated(form: str, frames: int = 3, **options: Any) -> bytes:
    """Return an animation that begins with the quarters; the other frames are black."""
    others = [Image.new("RGB", SIZE, (index, 0, 0)) for index in range(1, frames)]
    return file_of(form, save_all=True, append_images=others, **options)

"""How an encoded image becomes what a captioner is shown.

Pillow is imported when it is needed: not every package that imports `racro.base` has it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# Width and height, in pixels.
Size = tuple[int, int]

# Sixteen-bit greys are scaled down; Pillow's own conversion would clip them to white.
_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")
# EXIF's tag for how an image is turned, and its values that swap width and height.
_ORIENTATION = 0x0112
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})
# Pixels are averaged in squares, at full speed, down to so many times the wanted size, and only
# then resampled: the reducing gap that Pillow recommends as good enough for any picture.
_REDUCING_GAP = 2
_BAND_PIXELS = 2**20


def same_size(size: Size) -> Size:
    """Return a size as it is: the fit of an image that is wanted in full."""
    return size


def upright_rgb(image: "Image", fit: Callable[[Size], Size] = same_size) -> "Image":
    """Turns an image as its EXIF data says and lays it on white where it is transparent.

    Takes any mode of Pillow's, opened or loaded, and of an animation the frame that is loaded;
    returns mode RGB. `fit` gets the width and height of the upright image in pixels and says which
    ones are wanted. The pixels are part of the captioner's fingerprint: whoever changes them
    changes PREPROCESSING_VERSION there.
    """
    from PIL import ImageOps  # noqa: PLC0415

    orientation = image.getexif().get(_ORIENTATION, 1)
    is_turned = orientation in _ON_ITS_SIDE
    wanted = _swapped(fit(_swapped(image.size, is_turned)), is_turned)
    # A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that is enough.
    image.draft(None, wanted)
    image.load()
    resized = _resized(image, wanted)
    resized.getexif()[_ORIENTATION] = orientation
    ImageOps.exif_transpose(resized, in_place=True)
    return resized


def _swapped(size: Size, is_turned: bool) -> Size:
    return (size[1], size[0]) if is_turned else size


def _resized(image: "Image", size: Size) -> "Image":
    """Return an image in RGB at that size, resampled as vision models' processors do: bicubic.

    Reducing and the first pass of resampling, across, need no more than a band of it at a time.
    """
    from PIL import Image  # noqa: PLC0415

    width, height = image.size
    factor = int(min(width / size[0], height / size[1]) / _REDUCING_GAP) or 1
    narrowed = Image.new("RGB", (size[0], -(-height // factor)))
    rows = max(_BAND_PIXELS // width // factor, 1) * factor
    for top in range(0, height, rows):
        band = _on_white(image.crop((0, top, width, min(top + rows, height)))).reduce(factor)
        across = (0, 0, width / factor, band.height)
        band = band.resize((size[0], band.height), Image.Resampling.BICUBIC, box=across)
        narrowed.paste(band, (0, top // factor))
    if narrowed.size == size:
        return narrowed
    down = (0, 0, size[0], height / factor)
    return narrowed.resize(size, Image.Resampling.BICUBIC, box=down)


def _on_white(image: "Image") -> "Image":
    from PIL import Image  # noqa: PLC0415

    if image.mode in _SIXTEEN_BIT:
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    background = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(background, layer).convert("RGB")

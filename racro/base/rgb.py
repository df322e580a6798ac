"""How an encoded image becomes what a captioner is shown.

Pillow is imported when it is needed: not every package that imports `racro.base` has it.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from racro.base.background import Background, background_of
from racro.base.eight_bits import EightBits, eight_bits_of
from racro.base.size import Fit, Size, same_size

if TYPE_CHECKING:
    from PIL.Image import Image

# EXIF's tag for how an image is turned, and its values that swap width and height.
_ORIENTATION = 0x0112
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})
# The formats that can be decoded at a part of their size.
_DRAFTED = ("JPEG", "MPO")
# Pixels are averaged in squares, at full speed, down to so many times the wanted size, and only
# then resampled: the reducing gap that Pillow recommends as good enough for any picture.
_REDUCING_GAP = 2
_BAND_PIXELS = 2**20
# The background is chosen by so many pixels of each side, at most.
_SAMPLED_SIDE = 512


def upright_rgb(image: "Image", fit: Fit = same_size) -> "Image":
    """Turns an image as its EXIF data says and lays it on a background where it is transparent.

    The background is white, and black for what can hardly be seen on white. Takes any mode of
    Pillow's, opened or loaded, and of an animation the frame that is loaded; returns mode RGB.
    `fit` gets the width and height of the upright image in pixels and says which ones are wanted.
    The pixels are part of the captioner's fingerprint: whoever changes them changes
    PREPROCESSING_VERSION there.
    """
    if image.format not in _DRAFTED:
        # Only then are the size and the orientation of some formats right: a TIFF is turned by
        # then, and an icon's image may have another size than the icon says.
        image.load()
    orientation = _orientation(image)
    is_turned = orientation in _ON_ITS_SIDE
    wanted = _swapped(fit(_swapped(image.size, is_turned)), is_turned)
    # A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that is enough.
    image.draft(None, wanted)
    image.load()
    return _turned(_resized(image, wanted), orientation)


def _orientation(image: "Image") -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001
        # Whatever EXIF data is damaged to: pixels without it can be seen.
        return 1


def _turned(image: "Image", orientation: int) -> "Image":
    from PIL.Image import Transpose  # noqa: PLC0415

    method = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return image if method is None else image.transpose(method)


def _swapped(size: Size, is_turned: bool) -> Size:
    return (size[1], size[0]) if is_turned else size


def _resized(image: "Image", size: Size) -> "Image":
    """Return an image in RGB at that size, resampled as vision models' processors do: bicubic.

    Reducing and the first pass of resampling, across, need no more than a band of it at a time.
    """
    from PIL import Image  # noqa: PLC0415

    width, height = image.size
    eight_bits = eight_bits_of(image)
    background = _background(image, eight_bits)
    factor = int(min(width / size[0], height / size[1]) / _REDUCING_GAP) or 1
    narrowed = Image.new("RGB", (size[0], -(-height // factor)))
    rows = max(_BAND_PIXELS // width // factor, 1) * factor
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(top + rows, height)))
        band = _rgb(band, eight_bits, background).reduce(factor)
        across = (0, 0, width / factor, band.height)
        band = band.resize((size[0], band.height), Image.Resampling.BICUBIC, box=across)
        narrowed.paste(band, (0, top // factor))
    if narrowed.size == size:
        return narrowed
    down = (0, 0, size[0], height / factor)
    return narrowed.resize(size, Image.Resampling.BICUBIC, box=down)


def _background(image: "Image", eight_bits: EightBits) -> Background:
    """Return the background of the whole image, by pixels that are spread over it."""
    if not image.has_transparency_data:
        return "white"
    first, *others = (_rgba(eight_bits(sample)) for sample in _samples(image))
    for other in others:
        # What is next to a pixel that is transparent may be all that there is of a thin line.
        first.paste(other, mask=_clearer(other, first))
    return background_of(first)


def _clearer(one: "Image", other: "Image") -> "Image":
    """Return where an image is less transparent than the other one."""
    from PIL import ImageChops  # noqa: PLC0415

    more = ImageChops.subtract(one.getchannel("A"), other.getchannel("A"))
    return more.point(lambda difference: 255 * (difference > 0))


def _samples(image: "Image") -> Iterator["Image"]:
    """Give the image in few pixels, each time others: together they meet every row and column."""
    from PIL.Image import Resampling  # noqa: PLC0415

    width, height = image.size
    size = min(width, _SAMPLED_SIDE), min(height, _SAMPLED_SIDE)
    yield image.resize(size, Resampling.NEAREST)
    across, down = width / size[0], height / size[1]
    steps = math.ceil(max(across, down))
    for step in range(steps + 1) if steps > 1 else ():
        left, top = across * step / steps, down * step / steps
        box = (left, top, width - across + left, height - down + top)
        yield image.resize(size, Resampling.NEAREST, box=box)


def _rgb(image: "Image", eight_bits: EightBits, background: Background) -> "Image":
    from PIL import Image  # noqa: PLC0415

    image = eight_bits(image)
    if image.mode == "LAB":
        return _lab_to_rgb(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = _rgba(image)
    behind = Image.new("RGBA", layer.size, background)
    return Image.alpha_composite(behind, layer).convert("RGB")


def _rgba(image: "Image") -> "Image":
    # Pillow turns greys that are multiplied with their alpha into nothing else.
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")


def _lab_to_rgb(image: "Image") -> "Image":
    from PIL.ImageCms import ImageCmsProfile, ImageCmsTransform, createProfile  # noqa: PLC0415

    lab, srgb = (ImageCmsProfile(createProfile(space)) for space in ("LAB", "sRGB"))
    return ImageCmsTransform(lab, srgb, "LAB", "RGB").apply(image)

"""How a decoded image becomes what a captioner is shown.

Pillow is imported when it is needed: not every package that imports `racro.base` has it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# Sixteen-bit greys are scaled down; Pillow's own conversion would clip them to white.
_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def upright_rgb(image: "Image") -> "Image":
    """Turns an image as its EXIF data says and lays it on white where it is transparent.

    Takes any mode of Pillow's, and of an animation the frame that is loaded; returns mode RGB. The
    pixels are part of the captioner's fingerprint: whoever changes them changes
    PREPROCESSING_VERSION there.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415

    upright = ImageOps.exif_transpose(image)
    if upright.mode in _SIXTEEN_BIT:
        upright = upright.convert("I").point(lambda value: value / 256).convert("L")
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    layer = upright.convert("RGBA")
    background = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(background, layer).convert("RGB")

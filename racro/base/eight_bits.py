"""Brings images of more than eight bits a channel to eight.

Pillow is imported when it is needed: not every package that imports `racro.base` has it.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL.Image import Image

_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_FLOATS = "F"
_WHITE = 255
# TIFF's tag for what a value means, and its value for scans whose 0 is white.
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0


@dataclass(frozen=True, slots=True)
class Levels:
    """The grey of a value is `value * factor + offset`, from 0 (black) to 255 (white)."""

    factor: float
    offset: float = 0

    def eight_bits(self, image: "Image") -> "Image":
        """Return an image of one deep channel in mode L, and any other one as it is.

        Pillow's own conversion would clip the values.
        """
        if image.mode in _SIXTEEN_BIT:
            image = image.convert("I")
        elif image.mode != _FLOATS:
            return image
        return image.point(lambda value: value * self.factor + self.offset).convert("L")


_SCALED_DOWN = Levels(1 / 256)
_AS_THEY_ARE = Levels(1)


def levels_of(image: "Image") -> Levels:
    """Return the levels of an image that is loaded.

    Of a TIFF's deep channels Pillow does not invert those whose 0 is white.
    """
    levels = _levels_as_stored(image)
    tags = getattr(image, "tag_v2", {})
    if image.mode in (*_SIXTEEN_BIT, _FLOATS) and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        return Levels(-levels.factor, _WHITE - levels.offset)
    return levels


def _levels_as_stored(image: "Image") -> Levels:
    """Return the levels of an image whose 0 is black.

    A TIFF does not say how many of its bits are used: scanners and microscopes write 10, 12 or 14
    into 16. The most by which no value goes beyond eight bits is taken, in powers of two; what is
    negative, and floating-point values beyond 255, are stretched to all levels there are.
    """
    if image.format != "TIFF" or image.mode not in (*_SIXTEEN_BIT, _FLOATS):
        return _SCALED_DOWN
    deep = image if image.mode == _FLOATS else image.convert("I")
    low, high = map(float, cast("tuple[float, float]", deep.getextrema()))
    if not (math.isfinite(low) and math.isfinite(high)):
        return _AS_THEY_ARE
    if low < 0 or (image.mode == _FLOATS and high > _WHITE):
        factor = _WHITE / (high - low) if high > low else 0
        return Levels(factor, -low * factor)
    if image.mode == _FLOATS:
        return Levels(_WHITE) if high <= 1 else _AS_THEY_ARE
    return Levels(2.0 ** (8 - int(high).bit_length()))

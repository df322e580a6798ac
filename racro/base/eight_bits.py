"""Brings images of more than eight bits a channel to eight.

Pillow is imported when it is needed: not every package that imports `racro.base` has it.
"""

import math
import struct
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

# To an image in mode L from one of one deep channel, and any other one as it is.
EightBits = Callable[["Image"], "Image"]

_SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_FLOATS = "F"
_DEEP = (*_SIXTEEN_BIT, _FLOATS)
_WHITE = 255
# TIFF's tags for how deep values are, what they mean, and of which numbers they are; GDAL's for the
# value of a pixel that has none.
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT, _NO_DATA = 258, 262, 339, 42113
_WHITE_IS_ZERO = 0
_UNSIGNED, _SIGNED = (1,), (2,)
# The range of values is that of so many pixels of each side, without one in so many at both ends.
_SAMPLED_SIDE = 512
_ODD = 500


def eight_bits_of(image: "Image") -> EightBits:
    """Return what brings an image that is loaded, or a part of it, to eight bits a channel.

    Pillow's own conversion would clip the values. Of a TIFF's channels it does not invert deep ones
    whose 0 is white, and takes signed and unsigned values for one another.
    """
    if image.format != "TIFF":
        return _scaled_down if image.mode in _DEEP else _as_it_is
    tags: Any = getattr(image, "tag_v2", {})
    if image.mode not in _DEEP:
        is_signed = image.mode == "L" and tags.get(_SAMPLE_FORMAT) == _SIGNED
        return _shifted if is_signed else _as_it_is
    is_unsigned = tags.get(_BITS) == (32,) and tags.get(_SAMPLE_FORMAT, _UNSIGNED) == _UNSIGNED
    low, high = _range(image, is_unsigned=is_unsigned, no_data=tags.get(_NO_DATA))
    if is_unsigned and high >= 2**31:
        return _highest_byte
    factor, offset = _levels(low, high, are_floats=image.mode == _FLOATS)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        factor, offset = -factor, _WHITE - offset
    return partial(_scaled, factor=factor, offset=offset)


def _range(image: "Image", *, is_unsigned: bool, no_data: str | None) -> tuple[float, float]:
    """Return the least and the most of a TIFF's values, but for odd ones: 0 and 0 without any."""
    from PIL.Image import Resampling  # noqa: PLC0415

    width, height = (min(side, _SAMPLED_SIDE) for side in image.size)
    sample = image.resize((width, height), Resampling.NEAREST)
    are_floats = sample.mode == _FLOATS
    if not are_floats:
        sample = sample.convert("I")
    code = "f" if are_floats else "I" if is_unsigned else "i"
    missing = _number(no_data)
    values = sorted(
        value
        for value in struct.unpack(f"{width * height}{code}", sample.tobytes())
        if math.isfinite(value) and not math.isclose(value, missing, rel_tol=1e-6)
    )
    if not values:
        return 0, 0
    odd = len(values) // _ODD
    low, high = values[odd], values[-1 - odd]
    return (low, high) if low < high else (values[0], values[-1])


def _number(text: str | None) -> float:
    try:
        return math.nan if text is None else float(str(text).strip("\0 "))
    except ValueError:
        return math.nan


def _levels(low: float, high: float, *, are_floats: bool) -> tuple[float, float]:
    """Return the factor and offset by which values are greys from 0 (black) to 255 (white).

    A TIFF does not say how many of its bits are used: scanners and microscopes write 10, 12 or 14
    into 16. The most by which no value goes beyond eight bits is taken, in powers of two; what is
    negative, and floating-point values beyond 255, are stretched to all levels there are.
    """
    if low < 0 or (are_floats and high > _WHITE):
        factor = _WHITE / (high - low) if high > low else 0
        return factor, -low * factor
    if are_floats:
        return (_WHITE if high <= 1 else 1), 0
    return 2.0 ** (8 - int(high).bit_length()), 0


def _as_it_is(image: "Image") -> "Image":
    return image


def _scaled(image: "Image", *, factor: float, offset: float = 0) -> "Image":
    if image.mode != _FLOATS:
        image = image.convert("I")
    return image.point(lambda value: value * factor + offset).convert("L")


_scaled_down = partial(_scaled, factor=1 / 256)


def _shifted(image: "Image") -> "Image":
    """Return signed bytes that were read as unsigned ones: 0 is a middle grey."""
    return image.point([(value + 128) % 256 for value in range(256)])


def _highest_byte(image: "Image") -> "Image":
    """Return unsigned values of 32 bits, which Pillow has as signed ones."""
    from PIL import Image  # noqa: PLC0415

    highest = 3 if sys.byteorder == "little" else 0
    return Image.frombytes("L", image.size, image.tobytes()[highest::4])

"""Tells the size at which a model looks at an image, so that it is decoded and sent at no other."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from racro.base.rgb import Size

# From an upright image's width and height to those at which it is wanted.
Fit = Callable[[Size], Size]


@dataclass(frozen=True, slots=True)
class LongestSide:
    """Fits an image into so many pixels of its longer side; a smaller one stays as it is."""

    pixels: int

    def __call__(self, size: Size) -> Size:
        """Return the width and height, in pixels, of an image that has `size`."""
        share = min(1, self.pixels / max(size))
        return max(1, round(size[0] * share)), max(1, round(size[1] * share))


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelBounds:
    """Fits an image between numbers of pixels, with sides that are multiples of `side_multiple`.

    That is `smart_resize` of transformers' Qwen2VLImageProcessor, which Qwen2-VL, 2.5-VL and 3-VL
    share: a fitted image goes through it unchanged. `min_pixels` 0 enlarges none, `side_multiple` 1
    rounds to whole pixels.
    """

    min_pixels: int
    max_pixels: int
    side_multiple: int = 1

    def __call__(self, size: Size) -> Size:
        """Return the width and height, in pixels, of an image that has `size`."""
        multiple = self.side_multiple
        width, height = (round(side / multiple) * multiple for side in size)
        if width * height > self.max_pixels:
            shrink = math.sqrt(math.prod(size) / self.max_pixels)
            width, height = (math.floor(side / shrink / multiple) * multiple for side in size)
        elif width * height < self.min_pixels:
            enlarge = math.sqrt(self.min_pixels / math.prod(size))
            width, height = (math.ceil(side * enlarge / multiple) * multiple for side in size)
        return max(width, multiple), max(height, multiple)

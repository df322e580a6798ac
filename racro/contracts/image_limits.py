"""Declares what the images of a request may be, at every service that takes them.

Sizes are (width, height) in pixels, as a file's header declares them: turning an image as its EXIF
data says changes none of the limits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from racro.base.size import Size
from racro.contracts.errors import InvalidImage, TooLarge

# The most pixels of a page of a PDF, however large its paper is: A4 at 200 dots an inch.
PAGE_PIXELS = 4_000_000
# Formats whose images may have only a part of max_image_pixels, as a divisor of it, by the memory
# that Pillow decodes them in (bytes a pixel, measured at 50 million in a process of its own). WebP
# 16: libwebp's animation decoder has two canvases, and the pixels are copied twice out of them.
# AVIF 9 to 10.5, and by its planes 20 where they are of ten bits with alpha; HEIC the same. JPEG
# 2000 24 where it has alpha, 19 without: openjpeg holds every component in 32 bits. Other formats
# take 4, TIFFs whose pixels are one strip 8, and progressive JPEGs up to 12.
_COSTLY = {
    "image/webp": ("a WebP", 2),
    "image/avif": ("an AVIF", 2),
    "image/heic": ("a HEIC", 2),
    "image/jp2": ("a JPEG 2000", 3),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageLimits:
    """The limits, under the names that they have in the settings.

    The checks raise TooLarge (413), or InvalidImage (400) for an image that is too thin. `param`
    names the client's field.
    """

    max_image_bytes: int
    max_image_pixels: int
    max_image_side: int
    max_image_aspect: float
    max_request_pixels: int
    max_pages: int

    def check_bytes(self, count: int, *, param: str) -> None:
        """Check the length of an image's file, in bytes."""
        if count > self.max_image_bytes:
            raise TooLarge(
                f"the image has {count} bytes; max_image_bytes = {self.max_image_bytes}",
                param=param,
            )

    def check_size(self, size: Size, *, media_type: str, param: str) -> None:
        """Check the size that an image of that media type declares."""
        pixels, declares = prod(size), f"the image declares {size[0]}x{size[1]} pixels"
        if pixels > self.max_image_pixels:
            raise TooLarge(f"{declares}; max_image_pixels = {self.max_image_pixels}", param=param)
        name, divisor = _COSTLY.get(media_type, ("", 1))
        if pixels * divisor > self.max_image_pixels:
            share = "half" if divisor == 2 else f"1/{divisor}"  # noqa: PLR2004
            raise TooLarge(
                f"{declares}; {name} may have {share} of max_image_pixels = "
                f"{self.max_image_pixels}",
                param=param,
            )
        if max(size) > self.max_image_side:
            raise TooLarge(f"{declares}; max_image_side = {self.max_image_side}", param=param)
        if max(size) > self.max_image_aspect * min(size):
            raise InvalidImage(
                f"{declares}, too thin; max_image_aspect = {self.max_image_aspect:g}", param=param
            )

    def check_request(self, pixels: Iterable[int], *, param: str) -> None:
        """Check the pixels of a request's images together; `param` names the field of all."""
        if (total := sum(pixels)) > self.max_request_pixels:
            raise TooLarge(
                f"the images declare {total} pixels together; "
                f"max_request_pixels = {self.max_request_pixels}",
                param=param,
            )

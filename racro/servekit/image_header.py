"""Tells an image's format and size by its header, before anything of it is decoded."""

import io
import re
from math import prod
from typing import NamedTuple

import imagesize

from racro.base.size import Size
from racro.contracts.errors import InvalidImage, UnsupportedMediaType
from racro.contracts.image_limits import PAGE_PIXELS, ImageLimits

SUPPORTED = "PNG, JPEG, GIF and WebP are supported"

_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
_MOST_READS = 32 * 2**10


class ImageHeader(NamedTuple):
    """What an image's first bytes tell: `pixels` is the most that decoding it makes."""

    media_type: str
    pixels: int


def read_header(data: bytes, limits: ImageLimits, *, param: str) -> ImageHeader:
    """Return the header of an image that is within the limits.

    `param` names the client's field. Raises TooLarge, UnsupportedMediaType and InvalidImage.
    """
    limits.check_bytes(len(data), param=param)
    if data.startswith(b"%PDF-"):
        return ImageHeader("application/pdf", limits.max_pages * PAGE_PIXELS)
    media_type, size = _sniff(data, param=param), _declared_size(data, param=param)
    limits.check_size(size, media_type=media_type, param=param)
    return ImageHeader(media_type, prod(size))


def _sniff(data: bytes, *, param: str) -> str:
    """Return the media type by the first bytes: names and declared types prove nothing."""
    if not data:
        raise InvalidImage("the image is empty (0 bytes)", param=param)
    for magic, media_type in _MAGIC:
        if magic.match(data):
            return media_type
    raise UnsupportedMediaType(f"this is not an image of a known type; {SUPPORTED}", param=param)


class _HeaderReader(io.BytesIO):
    """An image to read the header of: a JPEG's may be as many segments as fit into its bytes."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises ValueError once there were more reads than any header takes."""
        self._reads += 1
        if self._reads > _MOST_READS:
            raise ValueError("the header has too many segments")
        return super().read(size)


def _declared_size(data: bytes, *, param: str) -> Size:
    try:
        width, height = imagesize.get(_HeaderReader(data), exif_rotation=False)
    except Exception as error:
        raise InvalidImage("the image's header cannot be read", param=param) from error
    if width < 1 or height < 1:
        raise InvalidImage("the image's header is truncated or damaged", param=param)
    return width, height

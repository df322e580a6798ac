"""Tells an image's format and size by its header, before anything of it is decoded."""

import io
import struct
from collections.abc import Callable
from math import prod
from typing import NamedTuple

import imagesize

from racro.base.size import Size
from racro.contracts.errors import InvalidImage
from racro.contracts.image_limits import PAGE_PIXELS, ImageLimits
from racro.servekit.gif_header import gif_size
from racro.servekit.heif_header import heif_size
from racro.servekit.image_types import (
    AVIF,
    BMP,
    GIF,
    HEIC,
    ICO,
    JPEG_2000,
    PDF,
    PNG_SIGNATURE,
    TIFF,
    media_type_of,
)
from racro.servekit.tiff_header import tiff_size

_MOST_READS = 32 * 2**10
_MOST_AT_ONCE = 64 * 2**10
_BEGIN_OF_CODESTREAM = b"\xff\x4f"
_CORE_HEADER = 12
_BITMAP_HEADERS = frozenset({_CORE_HEADER, 16, 40, 52, 56, 64, 108, 124})
_ICON_ENTRY = 16


class ImageHeader(NamedTuple):
    """What an image's first bytes tell: `pixels` is the most that decoding it makes."""

    media_type: str
    pixels: int


def read_header(data: bytes, limits: ImageLimits, *, param: str) -> ImageHeader:
    """Return the header of an image, or of a PDF, that is within the limits.

    `param` names the client's field. Raises TooLarge, UnsupportedMediaType and InvalidImage.
    """
    limits.check_bytes(len(data), param=param)
    media_type = media_type_of(data, param=param)
    if media_type == PDF:
        return ImageHeader(media_type, limits.max_pages * PAGE_PIXELS)
    size = _declared_size(data, media_type, param=param)
    limits.check_size(size, media_type=media_type, param=param)
    return ImageHeader(media_type, prod(size))


class _HeaderReader(io.BytesIO):
    """An image to read the header of: a JPEG's may be as many segments as fit into its bytes."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises ValueError once there were more reads, or one of more bytes, than headers take."""
        self._reads += 1
        if self._reads > _MOST_READS:
            raise ValueError("the header has too many segments")
        if size is None or not 0 <= size <= _MOST_AT_ONCE:
            raise ValueError("the header has too long a segment")
        return super().read(size)


def _declared_size(data: bytes, media_type: str, *, param: str) -> Size:
    try:
        if media_type == JPEG_2000 and data.startswith(_BEGIN_OF_CODESTREAM):
            width, height = _codestream_size(data)
        else:
            width, height = _READERS.get(media_type, _known_size)(data)
    except Exception as error:
        raise InvalidImage("the image's header cannot be read", param=param) from error
    if width < 1 or height < 1:
        raise InvalidImage("the image's header is truncated or damaged", param=param)
    return width, height


def _known_size(data: bytes) -> Size:
    width, height = imagesize.get(_HeaderReader(data), exif_rotation=False)
    return width, height


def _codestream_size(data: bytes) -> Size:
    """Return the size of JPEG 2000 without a file around it (ISO 15444-1, A.5.1)."""
    right, bottom, left, top = struct.unpack_from(">4I", data, 8)
    return right - left, bottom - top


def _bmp_size(data: bytes) -> Size:
    return _bitmap_size(data, 14)


def _bitmap_size(data: bytes, begin: int) -> Size:
    """Return the size of a bitmap, whose header begins there: OS/2's first one is shorter.

    A height below 0 is from the top. imagesize does not know all of them.
    """
    (length,) = struct.unpack_from("<I", data, begin)
    if length not in _BITMAP_HEADERS:
        raise ValueError("no header of a bitmap")
    form = "<HH" if length == _CORE_HEADER else "<ii"
    width, height = struct.unpack_from(form, data, begin + 4)
    return width, abs(height)


def _ico_size(data: bytes) -> Size:
    """Return the size of an icon's largest image."""
    number = min(int.from_bytes(data[4:6], "little"), (len(data) - 6) // _ICON_ENTRY)
    entries = (6 + _ICON_ENTRY * entry for entry in range(number))
    return max((_icon_size(data, entry) for entry in entries), key=prod)


def _icon_size(data: bytes, entry: int) -> Size:
    """Return the size of the image of an icon's directory entry, which stands at that offset.

    The entry itself has a byte for each side, where 0 stands for 256; what it leads to may be
    larger, and is what decoders believe. An entry that leads to no image counts by its own bytes.
    """
    own, start = (data[entry] or 256, data[entry + 1] or 256), entry + 12
    [begin] = struct.unpack_from("<I", data, start)
    try:
        if data.startswith(PNG_SIGNATURE, begin):
            width, height = struct.unpack_from(">II", data, begin + 16)
        else:
            # Without its file's header: the mask below it counts as rows, too.
            width, rows = _bitmap_size(data, begin)
            height = rows // 2
    except (ValueError, struct.error):
        return own
    return max(own, (width, height), key=prod)


_READERS: dict[str, Callable[[bytes], Size]] = {
    AVIF: heif_size,
    HEIC: heif_size,
    BMP: _bmp_size,
    GIF: gif_size,
    ICO: _ico_size,
    TIFF: tiff_size,
}

"""Mends what Pillow reads wrong of sound files, before it opens them and after."""

import struct
from collections.abc import Callable

from PIL import Image, TiffImagePlugin

from racro.servekit.gif_header import gif_size
from racro.servekit.image_types import BMP, GIF, ICO, TIFF
from racro.servekit.tiff_header import full_page

_FILE_HEADER, _INFO_HEADER = 14, 40
_ICON_HEADER, _ICON_ENTRY = 6, 16
_BLACK_AND_WHITE = b"\0\0\0\0\xff\xff\xff"
# What places and numbers of a damaged file make those raise who read it.
UNREADABLE = (ArithmeticError, LookupError, ValueError, struct.error)
_BITS, _PLANES, _COLOR_MAP = 258, 284, 320
_SEPARATE_PLANES = 2


def mended(data: bytes, media_type: str) -> bytes:
    """Return a file that Pillow reads as it is meant: the same one but for known faults."""
    try:
        return _MENDED[media_type](data) if media_type in _MENDED else data
    except UNREADABLE:
        return data


def largest_entry(data: bytes) -> int:
    """Return where in an icon the directory's entry of its largest image is."""
    number = min(int.from_bytes(data[4:6], "little"), (len(data) - _ICON_HEADER) // _ICON_ENTRY)
    entries = range(_ICON_HEADER, _ICON_HEADER + _ICON_ENTRY * number, _ICON_ENTRY)
    return max(entries, key=lambda at: (data[at] or 256) * (data[at + 1] or 256))


def _mended_gif(data: bytes) -> bytes:
    """Return a GIF whose screen has a size, which some programs do not write."""
    return data[:6] + struct.pack("<HH", *gif_size(data)) + data[10:]


def _mended_bmp(data: bytes) -> bytes:
    return _with_palette(data, _FILE_HEADER)


def _with_palette(data: bytes, begin: int) -> bytes:
    """Return a bitmap, whose header begins there, without a palette of black and white alone.

    Pillow takes that for one of a bit a pixel, which fewer bits a pixel are not.
    """
    length, _, _, _, bits = struct.unpack_from("<IiiHH", data, begin)
    if length < _INFO_HEADER or bits not in (4, 8):
        return data
    (colors,) = struct.unpack_from("<I", data, begin + 32)
    white = begin + length + 4
    if colors != 2 or data[white - 4 : white + 3] != _BLACK_AND_WHITE:  # noqa: PLR2004
        return data
    return data[:white] + b"\xfe" + data[white + 1 :]


def _mended_icon(data: bytes) -> bytes:
    """Return an icon whose largest bitmap is transparent by its mask, if by nothing else.

    Its bits a pixel in the directory say where Pillow takes the transparency from.
    """
    entry = largest_entry(data)
    (begin,) = struct.unpack_from("<I", data, entry + 12)
    length, width, height, _, bits = struct.unpack_from("<IiiHH", data, begin)
    pixels = data[begin + length :][: width * abs(height) // 2 * 4]
    if length != _INFO_HEADER or bits != 32 or any(pixels[3::4]):  # noqa: PLR2004
        return _with_palette(data, begin)
    return data[: entry + 6] + struct.pack("<H", 24) + data[entry + 8 :]


def _mended_tiff(data: bytes) -> bytes:
    """Return a TIFF whose first directory is the first full page's, with a palette of 16 bits."""
    page = full_page(data)
    # Of those alone that nothing packs, Pillow itself reads planes of 16 bits as if of 8.
    is_planar = page.integer(_PLANES) == _SEPARATE_PLANES and page.integer(_BITS) > 8  # noqa: PLR2004
    TiffImagePlugin.READ_LIBTIFF = is_planar
    order = page.entries[0].order
    at, form = (8, "Q") if b"+" in data[2:4] else (4, "I")
    begin = struct.pack(order + form, page.begin)
    if not data.startswith(begin, at):
        data = data[:at] + begin + data[at + len(begin) :]
    colors = page.integers(_COLOR_MAP)
    # Some programs write entries of eight bits.
    if colors and max(colors) < 256:  # noqa: PLR2004
        at = page.place(next(entry for entry in page.entries if entry.tag == _COLOR_MAP))
        sixteen_bits = struct.pack(f"{order}{len(colors)}H", *(color * 257 for color in colors))
        data = data[:at] + sixteen_bits + data[at + len(sixteen_bits) :]
    return data


def mend_alpha(image: Image.Image) -> None:
    """Make an image opaque if it is all transparent: programs leave the fourth byte of pixels 0.

    Bitmaps and TIFFs alone are such ones, and are loaded for it.
    """
    if image.format in ("BMP", "TIFF") and image.mode in ("RGBA", "LA"):
        image.load()
        if image.getchannel("A").getextrema() == (0, 0):
            image.putalpha(255)


_MENDED: dict[str, Callable[[bytes], bytes]] = {
    BMP: _mended_bmp,
    GIF: _mended_gif,
    ICO: _mended_icon,
    TIFF: _mended_tiff,
}

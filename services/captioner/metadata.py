"""Leaves out of an image's file what shapes no pixel, where its decoder stumbles over it.

Each function is one pass over the parts of a file. What does not fit into the format is kept as it
is, for the decoder to judge.
"""

import struct
import zlib
from collections.abc import Callable, Iterator

from racro.servekit.image_types import (
    AVIF,
    HEIC,
    ICO,
    JPEG,
    JPEG_2000,
    PNG,
    PNG_SIGNATURE,
    TIFF,
    WEBP,
)
from racro.servekit.tiff_header import full_page
from services.captioner.mended_files import UNREADABLE, largest_entry

# The fewest bytes of transparency by the header's colour type: a grey, and a red, green and blue.
_LEAST_TRANSPARENCY = {0: 2, 2: 6}
_START_OF_SCAN = 0xDA
_APP0, _APP1, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
# Of their segments, at least, with the marker.
_ADOBE_BYTES, _JFIF_BYTES = 16, 18
_WEBP_HEADER = 12
_WEBP_PIXELS = frozenset({b"ALPH", b"VP8 ", b"VP8L", b"ANIM", b"ANMF"})
# The flags of a WebP's header that announce a colour profile, EXIF data and XMP.
_WEBP_METADATA = 0x20 | 0x08 | 0x04
# The tags that shape a page's pixels: their layout, colours, compression, alpha and orientation.
_TIFF_PIXELS = frozenset(
    {
        *(*range(254, 260), 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317),
        *(*range(320, 326), 332, 338, 339, 347, *range(512, 522), *range(529, 533)),
    }
)
_TIFF_BYTE = 1
_CLASSIC_VALUE = 8
_JP2_SIGNATURE = 12
_CODESTREAM, _END_OF_CODESTREAM = b"\xff\x4f\xff\x51", b"\xff\xd9"


def without_metadata(data: bytes, media_type: str) -> bytes:
    """Return an image's file with its pixels, and its orientation where it can be kept.

    It is the same file where nothing is known to leave out, as in one that is damaged further.
    """
    try:
        return _BARE[media_type](data) if media_type in _BARE else data
    except UNREADABLE:
        return data


def _bare_png(data: bytes) -> bytes:
    return data[: len(PNG_SIGNATURE)] + b"".join(_png_parts(data))


def _png_parts(data: bytes) -> Iterator[bytes]:
    """Give the chunks that shape pixels; without acTL, an APNG is its default image."""
    at, color_type = len(PNG_SIGNATURE), data[25] if len(data) > 25 else 0  # noqa: PLR2004
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        end = at + length + 12
        if not kind[:1].islower():
            yield data[at:end]
        elif kind in (b"tRNS", b"eXIf"):
            checksum = zlib.crc32(data[at + 4 : end - 4]).to_bytes(4)
            if kind == b"tRNS":
                is_kept = length >= _LEAST_TRANSPARENCY.get(color_type, 1)
            else:
                is_kept = data[end - 4 : end] == checksum
            if is_kept:
                yield data[at : end - 4] + checksum
        if kind == b"IEND":
            return
        at = end


def _bare_jpeg(data: bytes) -> bytes:
    return data[:2] + b"".join(_jpeg_parts(data))


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    """Give the segments but for comments and what applications add.

    JFIF's and Adobe's say what the colours are, and EXIF's how the image is turned.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _START_OF_SCAN:  # noqa: PLR2004
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == 0xFF:  # noqa: PLR2004
            # A marker may have any number of these before it.
            at += 1
            continue
        is_metadata = _APP0 <= marker <= _APP15 or marker == _COMMENT
        if not is_metadata or _shapes_colors(marker, data[at:end]):
            yield data[at:end]
        at = end
    yield data[at:]


def _shapes_colors(marker: int, segment: bytes) -> bool:
    begins = segment[4:10]
    if marker == _APP14:
        return begins.startswith(b"Adobe") and len(segment) >= _ADOBE_BYTES
    if marker == _APP0:
        return begins.startswith(b"JFIF\0") and len(segment) >= _JFIF_BYTES
    return marker == _APP1 and begins == b"Exif\0\0"


def _bare_webp(data: bytes) -> bytes:
    chunks = b"WEBP" + b"".join(_webp_parts(data))
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


def _webp_parts(data: bytes) -> Iterator[bytes]:
    at = _WEBP_HEADER
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if kind == b"VP8X":
            flags = bytes(flag & ~_WEBP_METADATA for flag in data[at + 8 : at + 9])
            yield data[at : at + 8] + flags + data[at + 9 : end]
        elif kind in _WEBP_PIXELS:
            yield data[at:end]
        at = end


def _bare_ico(data: bytes) -> bytes:
    """Return an icon of its largest image alone, where that is a PNG."""
    entry = largest_entry(data)
    largest = data[entry : entry + 16]
    png = data[int.from_bytes(largest[12:16], "little") :]
    if not png.startswith(PNG_SIGNATURE):
        return data
    bare = _bare_png(png)
    place = len(bare).to_bytes(4, "little") + (6 + 16).to_bytes(4, "little")
    return data[:4] + b"\1\0" + largest[:8] + place + bare


def _bare_jp2(data: bytes) -> bytes:
    if data.startswith(_CODESTREAM):
        return data
    return data[:_JP2_SIGNATURE] + b"".join(_jp2_parts(data))


def _jp2_parts(data: bytes) -> Iterator[bytes]:
    """Give the boxes of the brand, of the header with its colours, and of the pixels."""
    pixels = max(data.find(_CODESTREAM), 0)
    for kind in (b"ftyp", b"jp2h"):
        at = data.find(kind, 0, pixels) - 4
        if at >= 0:
            yield data[at : at + int.from_bytes(data[at : at + 4])]
    # Up to the last marker of an end: what the box says of its length may be what is damaged.
    end = data.rfind(_END_OF_CODESTREAM)
    yield bytes(4) + b"jp2c" + data[pixels : end + 2 if end >= 0 else None]


def _bare_heif(data: bytes) -> bytes:
    """Return an AVIF or a HEIC whose EXIF data and XMP are items of a type that nobody reads.

    Their directory comes before the box of the data; lengths and places stay as they are.
    """
    end = data.find(b"mdat")
    head = data[:end] if end >= 0 else data
    return head.replace(b"Exif", b"free").replace(b"mime", b"free") + data[len(head) :]


def _bare_tiff(data: bytes) -> bytes:
    """Return a TIFF whose other fields are a zero each: Pillow reads none behind a damaged one."""
    bare = bytearray(data)
    for entry in full_page(data).entries:
        if entry.tag not in _TIFF_PIXELS:
            count = "I" if entry.values_at - entry.at == _CLASSIC_VALUE else "Q"
            one = struct.pack(f"{entry.order}H{count}", _TIFF_BYTE, 1)
            bare[entry.at + 2 : entry.values_at] = one
            bare[entry.values_at : entry.values_at + 4] = bytes(4)
    return bytes(bare)


_BARE: dict[str, Callable[[bytes], bytes]] = {
    PNG: _bare_png,
    JPEG: _bare_jpeg,
    WEBP: _bare_webp,
    ICO: _bare_ico,
    JPEG_2000: _bare_jp2,
    AVIF: _bare_heif,
    HEIC: _bare_heif,
    TIFF: _bare_tiff,
}

"""Refuses by name what decoders would show wrong, or take too much time for."""

import re
import struct

from racro.contracts.errors import InvalidImage
from racro.servekit.gif_header import MOST_BLOCKS, first_frame
from racro.servekit.image_types import GIF, JPEG, JPEG_2000, PNG, WEBP

# Each scan of a JPEG goes over all of its pixels; encoders write about ten. The length of a scan's
# head is that of its one to four components: two bytes alone stand anywhere in a film behind it.
_HEAD_OF_SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
_MOST_SCANS = 100
# Of chunks of which each is as short as it can be: a quarter of a second.
_MOST_CHUNKS = 100_000
# Where a chunk's file has its first one, how its length is written, and how long it is without its
# content; a WebP's contents are of an even length.
_CHUNKS = {PNG: (8, ">I", 12, 1), WEBP: (12, "<I", 8, 2)}
_CODESTREAM = b"\xff\x4f\xff\x51"
_COMPONENTS_AT, _MOST_COMPONENTS = 40, 16_384
_BYTE = 8


def check_kind(data: bytes, media_type: str, *, param: str) -> None:
    """Raises InvalidImage for an image of a kind that is not read, and says which kind it is."""
    if media_type == JPEG and len(_HEAD_OF_SCAN.findall(data)) > _MOST_SCANS:
        raise InvalidImage(f"the JPEG has more than {_MOST_SCANS} scans", param=param)
    if media_type in _CHUNKS and _has_many_chunks(data, *_CHUNKS[media_type]):
        raise InvalidImage(f"the image has more than {_MOST_CHUNKS} chunks", param=param)
    if media_type == GIF and _has_many_blocks(data):
        raise InvalidImage(
            f"the GIF has more than {MOST_BLOCKS} blocks before its first frame", param=param
        )
    if media_type == JPEG_2000 and (bits := _most_bits_of_colors(data)) > _BYTE:
        raise InvalidImage(
            f"the JPEG 2000 has colours of {bits} bits a channel, of which only {_BYTE} are read: "
            "send it as PNG",
            param=param,
        )


def _has_many_chunks(data: bytes, at: int, form: str, more: int, even: int) -> bool:
    length_at = 0 if form == ">I" else 4
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return False
        (length,) = struct.unpack_from(form, data, at + length_at)
        at += more + length + length % even
    return True


def _has_many_blocks(data: bytes) -> bool:
    try:
        first_frame(data)
    except ValueError:
        return True
    except IndexError:
        # Where it is cut off is for the decoder to say.
        return False
    return False


def _most_bits_of_colors(data: bytes) -> int:
    """Return the most bits of a component (ISO 15444-1, A.5.1); 0 where there is only one.

    Pillow rounds colours of more than eight bits up to 256, which is 0 in a byte: white is black.
    """
    begin = data.find(_CODESTREAM) + _COMPONENTS_AT
    number = int.from_bytes(data[begin : begin + 2])
    if not 1 < number <= _MOST_COMPONENTS:
        return 0
    precisions = data[begin + 2 : begin + 2 + 3 * number : 3]
    return max(((precision & 0x7F) + 1 for precision in precisions), default=0)

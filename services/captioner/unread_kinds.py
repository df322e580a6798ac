"""Refuses by name what decoders would show wrong, or take too much time for."""

import re
from collections.abc import Iterator
from itertools import islice

from racro.contracts.errors import InvalidImage
from racro.servekit.gif_header import MOST_BLOCKS, first_frame
from racro.servekit.image_types import GIF, JPEG, JPEG_2000, PNG, PNG_SIGNATURE, WEBP

# Each scan of a JPEG goes over all of its pixels; encoders write about ten. The length of a scan's
# head is that of its one to four components: two bytes alone stand anywhere in a film behind it.
_HEAD_OF_SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
_MOST_SCANS = 100
# Of chunks of which each is as short as it can be: a quarter of a second.
_MOST_CHUNKS = 100_000
_CODESTREAM = b"\xff\x4f\xff\x51"
_COMPONENTS_AT, _MOST_COMPONENTS, _MOST_BITS = 40, 16_384, 38
_BYTE = 8


def check_kind(data: bytes, media_type: str, *, param: str) -> None:
    """Raises InvalidImage for an image of a kind that is not read, and says which kind it is."""
    if media_type == JPEG and len(_HEAD_OF_SCAN.findall(data)) > _MOST_SCANS:
        raise InvalidImage(f"the JPEG has more than {_MOST_SCANS} scans", param=param)
    if media_type in (PNG, WEBP) and _has_many_chunks(data, media_type):
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


def _has_many_chunks(data: bytes, media_type: str) -> bool:
    starts = _png_chunks(data) if media_type == PNG else _webp_chunks(data)
    return next(islice(starts, _MOST_CHUNKS, None), None) is not None


def _png_chunks(data: bytes) -> Iterator[int]:
    """Yield where each chunk begins, up to the last: files are padded behind it."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data) and data[at + 4 : at + 8] != b"IEND":
        yield at
        at += 12 + int.from_bytes(data[at : at + 4])


def _webp_chunks(data: bytes) -> Iterator[int]:
    """Yield where each chunk begins, within the length that the file says of itself."""
    at, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        yield at
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2


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
    codestream = data.find(_CODESTREAM)
    begin = codestream + _COMPONENTS_AT
    number = int.from_bytes(data[begin : begin + 2])
    if codestream < 0 or not 1 < number <= _MOST_COMPONENTS:
        return 0
    precisions = data[begin + 2 : begin + 2 + 3 * number : 3]
    bits = max(((precision & 0x7F) + 1 for precision in precisions), default=0)
    # What the standard does not know is for the decoder to refuse.
    return bits if bits <= _MOST_BITS else 0

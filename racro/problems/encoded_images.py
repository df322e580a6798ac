"""Encoded images: out of text, and whether they can be decoded. Pillow is imported when needed."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from racro.problems.problem import InvalidProblem

if TYPE_CHECKING:
    from PIL.Image import Image

# The gateway's, by Pillow's names; not HEIC, which is an extra, nor PDF, which is no image.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "ICO", "JPEG2000")
MOST_PIXELS = 8192 * 6144  # the gateway's default


def from_base64(text: str) -> bytes:
    """The bytes of a data URL or of base64 alone. Raises InvalidProblem."""
    if text.startswith("data:"):
        _, _, text = text.partition(";base64,")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise InvalidProblem("not valid base64") from error


@contextmanager
def opened(data: bytes) -> "Iterator[Image]":
    """Pillow's image, not decoded yet. Raises InvalidProblem, also for errors inside the block."""
    from PIL import Image  # noqa: PLC0415  # not every user of problems has Pillow

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image)
            yield image
    except InvalidProblem:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidProblem(f"more than {MOST_PIXELS} pixels") from error
    except Exception as error:
        # Decoders raise whatever a crafted file makes them.
        raise InvalidProblem("no whole image of a known format") from error


def _check_size(image: "Image") -> None:
    if image.width * image.height > MOST_PIXELS:
        raise InvalidProblem(f"more than {MOST_PIXELS} pixels")


def check(data: bytes) -> None:
    """Raises InvalidProblem unless the image is whole: a PNG by its checksums, the others by
    decoding them, a JPEG at an eighth of its size.
    """
    with opened(data) as image:
        if image.format == "PNG":
            image.verify()
        else:
            image.draft("L", (1, 1))
            image.load()

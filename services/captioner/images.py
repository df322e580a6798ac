"""Decodes images to upright RGB pixels; one that cannot be decoded is the client's 400."""

import io
import re
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from math import prod
from typing import NamedTuple

import pybase64
from PIL import AvifImagePlugin, Image

from racro.base.rgb import upright_rgb
from racro.base.size import Fit, same_size
from racro.contracts.errors import InvalidImage, RacroError, TooLarge
from racro.contracts.image_limits import ImageLimits
from racro.servekit.image_header import read_header
from racro.servekit.image_types import (
    AVIF,
    BMP,
    GIF,
    HEIC,
    ICO,
    JPEG,
    JPEG_2000,
    PNG,
    TIFF,
    WEBP,
    media_type_of,
)
from services.captioner.heic import enable_heic
from services.captioner.mended_files import mend_alpha, mended
from services.captioner.metadata import without_metadata
from services.captioner.standard_error import no_standard_error
from services.captioner.unread_kinds import check_kind

PREPROCESSING_VERSION = "upright-rgb-2"

# The names that Pillow's decoders have; no other one ever sees a file.
_FORMATS = {
    PNG: "PNG",
    JPEG: "JPEG",
    GIF: "GIF",
    WEBP: "WEBP",
    AVIF: "AVIF",
    BMP: "BMP",
    TIFF: "TIFF",
    ICO: "ICO",
    JPEG_2000: "JPEG2000",
    HEIC: "HEIF",
}
# Of these Pillow does not read all kinds that there are.
_OF_MANY_KINDS = frozenset({BMP, ICO, TIFF})
# The bytes of a pixel while it is decoded, measured (racro/contracts/image_limits.py).
_MEMORY = {JPEG_2000: 25, AVIF: 12, HEIC: 12}
# How Pillow, for libtiff too, and libavif say that an allocation failed.
_OUT_OF_MEMORY = re.compile("out of memory|decoder error -9$", re.IGNORECASE)


class ImageFile(NamedTuple):
    """The bytes of an image's file, and the media type that they have."""

    data: bytes
    media_type: str


def _set_up_pillow(max_pixels: int) -> None:
    """Make Pillow's own guard an error at our limit, for the whole process.

    It sees what the file's header says and also what a later frame claims. Of damaged metadata it
    would warn in the log of the service.
    """
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("ignore", UserWarning)
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # More of them would each reserve memory for their stack, on a machine of many cores too much.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def read_images(data_urls: Sequence[str], limits: ImageLimits) -> list[ImageFile]:
    """Return the files of a request's images, whose headers declare nothing beyond the limits.

    Raises InvalidImage, UnsupportedMediaType and TooLarge, which name `images` or one of them.
    """
    files, pixels = [], []
    for index, data_url in enumerate(data_urls):
        param = f"images[{index}]"
        data = _payload(data_url, param=param)
        header = read_header(data, limits, param=param)
        pixels.append(header.pixels)
        files.append(ImageFile(data, header.media_type))
    # Each copy of an image counts: each is decoded.
    limits.check_request(pixels, param="images")
    return files


def decode_image(
    data: bytes,
    *,
    param: str,
    limits: ImageLimits,
    fit: Fit = same_size,
) -> Image.Image:
    """Return an image's first frame or page, upright and without transparency.

    `data` is one that `read_images` returned. `fit` gets the width and height of the upright image
    in pixels, and says at which ones it is wanted. Of 50 million pixels, 2,000 wide, it takes 225
    MiB, and at most 400: of a progressive JPEG in CMYK (docs/performance.md). All arguments and
    errors can be sent to other processes and back.

    Raises InvalidImage, TooLarge, and UnsupportedMediaType for HEIC without its extra. Metadata
    refuses no image: it is left out where the decoder stumbles over it.
    """
    _set_up_pillow(limits.max_image_pixels)
    media_type = media_type_of(data, param=param)
    if media_type == HEIC:
        enable_heic(param=param)
    check_kind(data, media_type, param=param)
    # libtiff writes a line for every strip that it finds something wrong in.
    quiet = no_standard_error() if media_type == TIFF else nullcontext()
    decode = partial(_decode, media_type=media_type, param=param, limits=limits, fit=fit)
    data = mended(data, media_type)
    with quiet:
        try:
            return decode(data)
        except InvalidImage:
            bare = without_metadata(data, media_type)
            if bare == data:
                raise
        return decode(bare)


def _decode(
    data: bytes, *, media_type: str, param: str, limits: ImageLimits, fit: Fit
) -> Image.Image:
    """Decode with Pillow, whose own words are not shown: they may carry addresses."""
    try:
        with Image.open(io.BytesIO(data), formats=(_FORMATS[media_type],)) as image:
            # A file may declare one size to who reads its header, and another to its decoder.
            limits.check_size(image.size, media_type=media_type, param=param)
            # MemoryError comes from here: the decoders call a file damaged where memory is short.
            # Of zeros, CPython reserves the memory alone.
            bytes(prod(image.size) * _MEMORY.get(media_type, 0))
            mend_alpha(image)
            return upright_rgb(image, fit)
    except (RacroError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(
            f"the image has more pixels than max_image_pixels = {limits.max_image_pixels}",
            param=param,
        ) from error
    except Exception as error:
        if _OUT_OF_MEMORY.search(str(error)):
            raise MemoryError from error
        # Decoders raise whatever a crafted file makes them.
        said = "the image cannot be decoded: it is truncated or damaged"
        if media_type in _OF_MANY_KINDS:
            said += f", or a kind of {_FORMATS[media_type]} that is not read"
        raise InvalidImage(said, param=param) from error


def _payload(data_url: str, *, param: str) -> bytes:
    header, comma, payload = data_url.partition(",")
    if not comma or not header.startswith("data:") or not header.endswith(";base64"):
        raise InvalidImage("expected a base64 data URL", param=param)
    try:
        return pybase64.b64decode(payload, validate=True)
    except ValueError as error:
        raise InvalidImage("the data URL is not valid base64", param=param) from error

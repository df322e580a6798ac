"""Decodes data URLs to upright RGB pixels; an image that cannot be decoded is the client's 400."""

import io
import warnings

import pybase64
from PIL import Image

from racro.base.rgb import upright_rgb
from racro.contracts.errors import InvalidImage, TooLarge

PREPROCESSING_VERSION = "upright-rgb-1"

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def limit_pixels(max_pixels: int) -> None:
    """Make Pillow's own guard an error at our limit, for the whole process.

    It sees what the file's header says and also what a later frame claims.
    """
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode_image(data_url: str, *, param: str) -> Image.Image:
    """Return the first frame, turned as its EXIF data says, on white where it is transparent.

    Raises InvalidImage or TooLarge. Pillow's own words are not shown: they may carry addresses.
    """
    data = _payload(data_url, param=param)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            image.load()
            return upright_rgb(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(
            f"the image has more pixels than max_image_pixels = {Image.MAX_IMAGE_PIXELS}",
            param=param,
        ) from error
    except Exception as error:
        # Decoders raise whatever a crafted file makes them.
        raise InvalidImage(
            "the image cannot be decoded: it is truncated or damaged", param=param
        ) from error


def _payload(data_url: str, *, param: str) -> bytes:
    header, comma, payload = data_url.partition(",")
    if not comma or not header.startswith("data:") or not header.endswith(";base64"):
        raise InvalidImage("expected a base64 data URL", param=param)
    try:
        return pybase64.b64decode(payload, validate=True)
    except ValueError as error:
        raise InvalidImage("the data URL is not valid base64", param=param) from error

"""Pictures of a number, in forty ways to store them, for a captioner that reads."""

from collections.abc import Callable
from functools import partial

from PIL import Image

from support.pictures import encoded, text_picture
from support.stranger_files.drawing import STORED, exif_of
from support.stranger_files.pdf import text_pdf

TEXT, OTHER = "4711", "8350"


def text_of(form: str, mode: str = "RGB", **options: object) -> bytes:
    return encoded(text_picture(TEXT, mode=mode), form, **options)


def animated(form: str) -> bytes:
    """Return an animation, or a file of several pictures, of which the other ones say another."""
    other = text_picture(OTHER)
    return encoded(text_picture(TEXT), form, save_all=True, append_images=[other], duration=100)


def _grey_16_bit(form: str) -> bytes:
    """Between 20000 and 60800: cut off at 255 instead of scaled, all of it is white."""
    grey = text_picture(TEXT, mode="L").convert("I").point(lambda value: value * 160 + 20_000)
    return encoded(grey.convert("I;16"), form)


def on_nothing(form: str, mode: str = "RGBA", *, ink: str = "black", **options: object) -> bytes:
    """Return text on a transparent ground of the same colour: without its alpha nothing is seen."""
    alpha = text_picture(TEXT, mode="L").point(lambda value: 255 - value)
    image = Image.new("RGB", alpha.size, ink)
    image.putalpha(alpha)
    return encoded(image.convert(mode), form, **options)


def _transparent_palette() -> bytes:
    picture = Image.new("P", (320, 120))
    picture.putpalette([0, 0, 0] * 2)
    picture.paste(1, mask=text_picture(TEXT, mode="L").point(lambda value: 255 - value))
    return encoded(picture, transparency=0)


def _turned(form: str, orientation: int) -> bytes:
    stored = STORED[orientation]
    picture = text_picture(TEXT) if stored is None else text_picture(TEXT).transpose(stored)
    return encoded(picture, form, exif=exif_of(orientation))


TEXT_FILES: dict[str, Callable[[], bytes]] = {
    "png": partial(text_of, "PNG"),
    "png-palette": partial(text_of, "PNG", "P"),
    "png-black-and-white": partial(text_of, "PNG", "1"),
    "png-grey": partial(text_of, "PNG", "L"),
    "png-grey-16-bit": partial(_grey_16_bit, "PNG"),
    "png-transparent": partial(on_nothing, "PNG"),
    "png-transparent-white": partial(on_nothing, "PNG", ink="white"),
    "png-transparent-grey": partial(on_nothing, "PNG", "LA"),
    "png-transparent-palette": _transparent_palette,
    "png-animated": partial(animated, "PNG"),
    "png-turned": partial(_turned, "PNG", 8),
    "jpeg": partial(text_of, "JPEG"),
    "jpeg-progressive": partial(text_of, "JPEG", progressive=True),
    "jpeg-grey": partial(text_of, "JPEG", "L"),
    "jpeg-cmyk": partial(text_of, "JPEG", "CMYK"),
    "jpeg-turned": partial(_turned, "JPEG", 6),
    "jpeg-mirrored": partial(_turned, "JPEG", 7),
    "jpeg-of-several": partial(animated, "MPO"),
    "gif": partial(text_of, "GIF", "P"),
    "gif-interlaced": partial(text_of, "GIF", "P", interlace=True),
    "gif-animated": partial(animated, "GIF"),
    "webp": partial(text_of, "WEBP"),
    "webp-lossless": partial(text_of, "WEBP", lossless=True),
    "webp-transparent": partial(on_nothing, "WEBP", lossless=True, exact=True),
    "webp-transparent-white": partial(on_nothing, "WEBP", ink="white", lossless=True, exact=True),
    "webp-animated": partial(animated, "WEBP"),
    "avif": partial(text_of, "AVIF"),
    "avif-transparent": partial(on_nothing, "AVIF"),
    "avif-sequence": partial(animated, "AVIF"),
    "bmp": partial(text_of, "BMP"),
    "bmp-1-bit": partial(text_of, "BMP", "1"),
    "tiff": partial(text_of, "TIFF"),
    "tiff-lzw": partial(text_of, "TIFF", compression="tiff_lzw"),
    "tiff-fax": partial(text_of, "TIFF", "1", compression="group4"),
    "tiff-jpeg": partial(text_of, "TIFF", compression="jpeg"),
    "tiff-grey-16-bit": partial(_grey_16_bit, "TIFF"),
    "tiff-cmyk": partial(text_of, "TIFF", "CMYK"),
    "tiff-of-pages": partial(animated, "TIFF"),
    "ico": partial(text_of, "ICO"),
    "jpeg-2000": partial(text_of, "JPEG2000"),
    "jpeg-2000-grey-16-bit": partial(_grey_16_bit, "JPEG2000"),
    "jpeg-2000-code-stream": partial(text_of, "JPEG2000", no_jp2=True),
    "pdf": partial(text_pdf, TEXT),
    "pdf-scanned": partial(text_of, "PDF"),
}

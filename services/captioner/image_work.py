"""What is done with one image in a worker process.

The service imports this module, too: libraries that only the work needs are imported by it.
"""

import hashlib
import io
import json
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pybase64
from PIL import Image

from racro.base.size import Fit
from racro.contracts.image_limits import ImageLimits
from racro.contracts.perception import CONTRACT_1_OPTIONS, CaptionProfile, Identity
from services.captioner.images import PREPROCESSING_VERSION, decode_image
from services.captioner.settings import OcrSettings, VlmSettings

if TYPE_CHECKING:
    from racro.embedded.reader import OcrReader
    from services.captioner.pdf_pages import Pages


# Of a request, as both captioners accept them.
OPTIONS = (*CONTRACT_1_OPTIONS, "max_pages", "caption_profile")


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """The bytes of an image's file, and the client's field that it came in.

    Of a PDF, `page` is the page that is meant, from 1 on.
    """

    data: bytes
    param: str
    is_pdf: bool = False
    page: int | None = None


class Caption(NamedTuple):
    """What was read, and whether it was cut at the limit."""

    text: str
    is_cut: bool


class Png(NamedTuple):
    """A data URL, and the SHA-256 of the file that it holds."""

    url: str
    digest: str


def prepare_decoding() -> None:
    """Load the decoders."""
    Image.init()


def load_ocr(settings: OcrSettings) -> Identity:
    """Load the models, and return the identity of a captioner that reads with them."""
    from racro.embedded.composer import COMPOSER_VERSION  # noqa: PLC0415
    from racro.embedded.reader import PREPARATION, RELEASE, models_revision  # noqa: PLC0415

    _reader(settings.threads).read(Image.new("RGB", (64, 64), "white"))
    revision = models_revision()
    shaped_by = [
        RELEASE,
        revision,
        PREPROCESSING_VERSION,
        PREPARATION,
        COMPOSER_VERSION,
        settings.max_tokens,
    ]
    return Identity(
        model=f"rapidocr-{RELEASE}",
        revision=revision,
        prompt_profile=COMPOSER_VERSION,
        fingerprint=hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest(),
        parts=("caption",),
        options=OPTIONS,
    )


def pages_of(image: EncodedImage, most: int, limits: ImageLimits) -> "Pages":
    """Return which of a PDF's first pages are shown, `most` at most. Raises InvalidImage."""
    from services.captioner import pdf_pages  # noqa: PLC0415

    return pdf_pages.pages_of(image.data, most, param=image.param, limits=limits)


def read_caption(
    image: EncodedImage,
    limits: ImageLimits,
    settings: OcrSettings,
    max_chars: int,
    profile: CaptionProfile = "description",
) -> Caption:
    """Return what is written in an image or on a page. Raises InvalidImage or TooLarge.

    Under the profile `screen` it is the text alone, and no chart or table is told as one.
    """
    from racro.embedded.composer import compose  # noqa: PLC0415
    from racro.embedded.reader import LEAST_READ_OF_PAGE  # noqa: PLC0415

    pixels = _decoded(image, limits, settings.fit)
    # A dense page takes 10 s of a core, and there are many: no more of it is read than is told.
    least = {} if image.page is None else {"least_width": LEAST_READ_OF_PAGE}
    words, read = _reader(settings.threads).read(pixels, max_chars=max_chars, **least)
    told = compose(words, read, max_chars=max_chars, as_it_stands=profile == "screen")
    return Caption(*told)


def write_png(image: EncodedImage, limits: ImageLimits, settings: VlmSettings) -> Png:
    """Return an image or a page as a vision engine is shown it. Raises InvalidImage or TooLarge."""
    pixels = _decoded(image, limits, settings.fit)
    buffer = io.BytesIO()
    # Lossless: the engine gets the pixels that were decoded here. Photographs take two thirds of
    # the time by this strategy, and are smaller; drawings are a few percent larger.
    pixels.save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    png = buffer.getbuffer()
    url = "data:image/png;base64," + pybase64.b64encode_as_string(png)
    return Png(url, hashlib.sha256(png).hexdigest())


def _decoded(image: EncodedImage, limits: ImageLimits, fit: Fit) -> Image.Image:
    if image.page is None:
        return decode_image(image.data, param=image.param, limits=limits, fit=fit)
    from services.captioner.pdf_pages import render_page  # noqa: PLC0415

    return render_page(image.data, image.page, param=image.param, limits=limits, fit=fit)


@cache
def _reader(threads: int) -> "OcrReader":
    from racro.embedded.reader import OcrReader  # noqa: PLC0415

    return OcrReader(threads=threads)

"""Renders the pages of PDFs, with PDFium. Worker processes import it, and the service does not.

The build of PDFium that pypdfium2 carries has neither V8 nor XFA: it runs no script of a document.
Of links, actions and attached files it follows and opens none. It reads fonts of the system, for
those that a document names and does not hold; where there is none, it has its own.

Which PDFium renders is not in a captioner's fingerprint, as which Pillow decodes is not. A change
that is to invalidate captions changes PREPROCESSING_VERSION.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from racro.base.size import Fit, Size, same_size
from racro.contracts.errors import InvalidImage
from racro.contracts.image_limits import PAGE_PIXELS, ImageLimits
from services.captioner.pdf_portfolio import is_portfolio

# Pixels of a point, which is 1/72 of an inch: as scanners have them for text.
_MOST_SCALE = 200 / 72
_WHITE = (255, 255, 255, 255)
# Filled-in fields and comments are seen where a reader shows them.
_FLAGS = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
_DAMAGED = "cannot be read: it is truncated or damaged"
_ELSEWHERE = "which no reader but Adobe's shows: print it to PDF"
# Why PDFium opens none, by its codes.
_REFUSALS = {
    raw.FPDF_ERR_PASSWORD: "the PDF needs a password",
    raw.FPDF_ERR_SECURITY: "the PDF is encrypted by a scheme that is not supported",
}
# It would warn, on stderr, of what is odd in a stranger's file.
logging.getLogger("pypdfium2").setLevel(logging.CRITICAL)


class Pages(NamedTuple):
    """How many pages a PDF says that it has, and the numbers of those that are shown."""

    total: int
    shown: tuple[int, ...]


def pages_of(data: bytes, most: int, *, param: str, limits: ImageLimits) -> Pages:
    """Return which of a PDF's first pages, `most` at most, are rendered: those that can be read.

    Raises InvalidImage where none can, and for documents that need another reader.
    """
    with _opened(data, param=param) as document:
        if document.get_formtype() == raw.FORMTYPE_XFA_FULL:
            raise InvalidImage(f"the PDF is a dynamic form (XFA), {_ELSEWHERE}", param=param)
        if is_portfolio(data, attachments=document.count_attachments()):
            raise InvalidImage("the PDF is a portfolio of files: send those", param=param)
        shown, first_error = [], None
        for number in range(1, min(len(document), most) + 1):
            try:
                _check_page(document, number, param=param, limits=limits)
                shown.append(number)
            except InvalidImage as error:
                first_error = first_error or error
        if not shown and first_error:
            raise first_error
        return Pages(len(document), tuple(shown))


def render_page(
    data: bytes, number: int, *, param: str, limits: ImageLimits, fit: Fit = same_size
) -> Image.Image:
    """Return a page, of which 1 is the first, in RGB, upright and on white.

    The crop box is rendered, with form fields and annotations. `fit` gets the page's width and
    height in pixels, at 200 dots an inch or as many as the limits and PAGE_PIXELS leave it, and
    says at which ones it is wanted. Raises InvalidImage, without PDFium's own words.
    """
    with _opened(data, param=param) as document:
        # Fields are drawn on pages that were loaded after this.
        document.init_forms()
        page = _page(document, number, param=param, limits=limits)
        return _rendered(page, fit(_size_in_pixels(page.get_size(), limits)))


def _check_page(
    document: pypdfium2.PdfDocument, number: int, *, param: str, limits: ImageLimits
) -> None:
    """Raises InvalidImage for a page that cannot be rendered; what it draws is not read."""
    try:
        points = document.get_page_size(number - 1)
    except pypdfium2.PdfiumError as error:
        raise InvalidImage(f"page {number} of the PDF {_DAMAGED}", param=param) from error
    if not _is_wide_enough(points, limits):
        _page(document, number, param=param, limits=limits).close()


def _page(
    document: pypdfium2.PdfDocument, number: int, *, param: str, limits: ImageLimits
) -> pypdfium2.PdfPage:
    """Return a page that can be rendered. Raises InvalidImage."""
    try:
        page = document[number - 1]
        if not all(page.get_size()):
            # PDFium shows nothing of a page whose crop box is outside of it.
            page.set_cropbox(*page.get_mediabox())
            page.close()
            page = document[number - 1]
    except pypdfium2.PdfiumError as error:
        raise InvalidImage(f"page {number} of the PDF {_DAMAGED}", param=param) from error
    points = page.get_size()
    if not _is_wide_enough(points, limits):
        raise InvalidImage(
            f"page {number} of the PDF has {points[0]:g}x{points[1]:g} points, too thin; "
            f"max_image_aspect = {limits.max_image_aspect:g}",
            param=param,
        )
    return page


def _is_wide_enough(points: tuple[float, float], limits: ImageLimits) -> bool:
    return 0 < max(points) <= limits.max_image_aspect * min(points)


@contextmanager
def _opened(data: bytes, *, param: str) -> Iterator[pypdfium2.PdfDocument]:
    # What pypdfium2 says of one without pages is the reason why the one before was not opened.
    handle = raw.FPDF_LoadMemDocument64(data, len(data), None)
    if not handle:
        refusal = _REFUSALS.get(raw.FPDF_GetLastError(), f"the PDF {_DAMAGED}")
        raise InvalidImage(refusal, param=param)
    with pypdfium2.PdfDocument(handle) as document:
        if len(document) < 1:
            raise InvalidImage("the PDF has no pages", param=param)
        yield document


def _size_in_pixels(points: tuple[float, float], limits: ImageLimits) -> Size:
    most_pixels = min(PAGE_PIXELS, limits.max_image_pixels)
    scale = min(
        _MOST_SCALE,
        math.sqrt(most_pixels / math.prod(points)),
        limits.max_image_side / max(points),
    )
    width, height = (max(1, math.floor(side * scale)) for side in points)
    return width, height


def _rendered(page: pypdfium2.PdfPage, size: Size) -> Image.Image:
    """Return a page at that very size, which pypdfium2's own `render` rounds otherwise."""
    bitmap = pypdfium2.PdfBitmap.new_native(*size, raw.FPDFBitmap_BGR, rev_byteorder=True)
    bitmap.fill_rect(_WHITE, 0, 0, *size)
    drawn = (bitmap, page, 0, 0, *size, 0, _FLAGS)
    raw.FPDF_RenderPageBitmap(*drawn)
    if page.formenv:
        raw.FPDF_FFLDraw(page.formenv, *drawn)
    image: Image.Image = bitmap.to_pil()
    return image

"""Tells the media type of an image by its first bytes: names and declared types prove nothing."""

import re

from racro.contracts.errors import InvalidImage, UnsupportedMediaType
from racro.servekit.other_files import name_of_file
from racro.servekit.tiff_header import is_raw_photograph

SUPPORTED = (
    "PNG, JPEG, GIF, WebP, AVIF, BMP, TIFF, ICO, JPEG 2000 and PDF are supported, "
    "and HEIC where the captioner has the extra for it"
)

AVIF, BMP, GIF, HEIC = "image/avif", "image/bmp", "image/gif", "image/heic"
ICO, JPEG, JPEG_2000, PDF = "image/x-icon", "image/jpeg", "image/jp2", "application/pdf"
PNG, TIFF, WEBP = "image/png", "image/tiff", "image/webp"

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAGIC = (
    (re.compile(re.escape(PNG_SIGNATURE)), PNG),
    (re.compile(rb"\xff\xd8\xff"), JPEG),
    (re.compile(rb"GIF8[79]a"), GIF),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), WEBP),
    # Of a Windows bitmap, the length of its second header is one of those that there are.
    (re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), BMP),
    # TIFF and BigTIFF, in both orders of bytes.
    (re.compile(rb"II[*+]\0|MM\0[*+]"), TIFF),
    # An icon has at least one image, whose entry has a zero that is reserved (.NET writes 255); a
    # film's first box may be of as many bytes as that says.
    (re.compile(rb"\0\0\x01\0(?!\0\0|moov).{5}[\0\xff]", re.DOTALL), ICO),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), JPEG_2000),
)
# The brands of ISO 23008-12 (HEIF) and of AVIF. "mif1" and "msf1" leave the codec open.
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_OPEN_BRANDS = frozenset({b"mif1", b"msf1"})
_HEIC_BRANDS = _OPEN_BRANDS | {
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
}
_MOST_OF_BRANDS = 512
# Readers find a PDF's first line so far behind the beginning of its file (ISO 32000-1, annex H). A
# text that is about PDFs has that mark, too, and most often within a line.
_PDF_WITHIN = 1024
_PDF = re.compile(rb"(?:^|[^ -~\t])%PDF-")


def media_type_of(data: bytes, *, param: str) -> str:
    """Return the media type of an image or a PDF.

    `param` names the client's field. Raises InvalidImage where there are no bytes, and
    UnsupportedMediaType, which says what the file is, where that is known.
    """
    if not data:
        raise InvalidImage("the image is empty (0 bytes)", param=param)
    for magic, media_type in _MAGIC:
        if magic.match(data) and not (media_type == TIFF and is_raw_photograph(data)):
            return media_type
    if by_brands := _by_brands(data):
        return by_brands
    pdf = _PDF.search(data[:_PDF_WITHIN])
    name = None if pdf and pdf.start() == 0 else name_of_file(data)
    if pdf and name in (None, "text"):
        return PDF
    said = f"this is {name}" if name else "this is not an image of a known type"
    raise UnsupportedMediaType(f"{said}; {SUPPORTED}", param=param)


def _by_brands(data: bytes) -> str | None:
    """Return the media type of a file that begins with a box of its brands, the major one first."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4]), _MOST_OF_BRANDS)
    major, others = data[8:12], {data[at : at + 4] for at in range(16, end - 3, 4)}
    if major in _AVIF_BRANDS or (major in _OPEN_BRANDS and others & _AVIF_BRANDS):
        return AVIF
    return HEIC if major in _HEIC_BRANDS else None

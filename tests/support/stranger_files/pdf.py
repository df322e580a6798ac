"""PDF: pages drawn and scanned, turned, cropped, many, encrypted, and with broken tables."""

import io
import zlib
from collections.abc import Callable, Sequence
from functools import partial

import pypdfium2

from support.stranger_files.drawing import file_of, quarters
from support.stranger_files.expectations import (
    ANYTHING,
    COLOURS,
    WHITE,
    Expected,
    Quarters,
    Refused,
    Seen,
    SeenOrRefused,
    StrangerFile,
    family,
)
from support.stranger_files.pdf_writer import (
    PAGE,
    Options,
    Page,
    pdf,
    quarters_content,
    quarters_page,
    stream,
)

MAX_PAGES = 8
# Pages are rendered at whatever size the captioner chooses.
_PAGE = Seen(size=None)
_BLANK = Seen(size=None, quarters=(WHITE,) * 4)
_HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
_TURNED: dict[int, Quarters] = {
    90: (COLOURS[2], COLOURS[0], COLOURS[3], COLOURS[1]),
    180: (COLOURS[3], COLOURS[2], COLOURS[1], COLOURS[0]),
    270: (COLOURS[1], COLOURS[3], COLOURS[0], COLOURS[2]),
}


def _one(entries: bytes = b"", **options: object) -> bytes:
    return pdf([quarters_page(entries=entries)], Options(**options))


def _pages(count: int) -> bytes:
    """Return a PDF whose first page is the quarters, and the others are black."""
    black = Page(content=b"0 0 0 rg 0 0 %d %d re f" % PAGE)
    return pdf([quarters_page(), *[black] * (count - 1)])


def _text_page(text: bytes, *, more: bytes = b"") -> bytes:
    content = b"BT /F1 40 Tf 20 60 Td (%b) Tj ET\n" % text + more
    page = Page(content=content, entries=b"/Resources << /Font << /F1 1 0 R >> >>")
    return pdf([page], Options(objects=[_HELVETICA]))


def text_pdf(text: str) -> bytes:
    """Return a PDF of one page with a line of text, in a font that no PDF need have in it."""
    return _text_page(text.encode())


def _scanned(filtered: str) -> bytes:
    """Return a page that is nothing but a picture, as scanners write them."""
    image = quarters(size=(240, 160))
    if filtered == "DCTDecode":
        data = file_of("JPEG", image, quality=90)
    else:
        data = zlib.compress(image.tobytes())
    entries = (
        b"/Type /XObject /Subtype /Image /Width 240 /Height 160 /ColorSpace /DeviceRGB "
        b"/BitsPerComponent 8 /Filter /%b" % filtered.encode()
    )
    page = Page(
        content=b"q %d 0 0 %d 0 0 cm /Im1 Do Q" % PAGE,
        entries=b"/Resources << /XObject << /Im1 1 0 R >> >>",
    )
    return pdf([page], Options(objects=[stream(data, entries)]))


def _form() -> bytes:
    """Return a page with a text field that is filled in, whose appearance the file brings along."""
    appearance = stream(
        b"0 0 0 rg 0 0 60 40 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 60 40]"
    )
    widget = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (42) /F 4 "
        b"/Rect [90 60 150 100] /AP << /N 1 0 R >> >>"
    )
    page = quarters_page(entries=b"/Annots [2 0 R]")
    return pdf(
        [page], Options(objects=[appearance, widget], catalog=b"/AcroForm << /Fields [2 0 R] >>")
    )


def _cropped() -> bytes:
    """Return a page of which only the quarter at the top left is to be seen."""
    return pdf([quarters_page(entries=b"/CropBox [0 %d %d %d]" % (PAGE[1] / 2, PAGE[0] / 2,
                                                                 PAGE[1]))])  # fmt: skip


def _of_size(width: float, height: float) -> bytes:
    return pdf([Page(content=b"1 0 0 rg 0 0 9 9 re f", media_box=(0, 0, width, height))])


def _replaced(old: bytes, new: bytes) -> bytes:
    data = _one()
    if old not in data:
        raise ValueError(f"no {old!r}")
    return data.replace(old, new)


def _saved() -> bytes:
    """Return a PDF as PDFium writes it."""
    document = pypdfium2.PdfDocument(_one())
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    return buffer.getvalue()


def _without_table() -> bytes:
    before, _, behind = _one().partition(b"xref\n0")
    return before + behind[behind.index(b"trailer") :]


def _empty() -> bytes:
    return pdf([])


_KINDS: dict[str, tuple[Callable[[], bytes], Expected]] = {
    "one-page": (_one, Seen(size=None, what="the page")),
    **{
        f"{count}-pages": (
            partial(_pages, count),
            Seen(size=None, pictures=min(count, MAX_PAGES), what=f"the first {MAX_PAGES} pages"),
        )
        for count in (12, 2, 8, 9, 300)
    },
    **{
        f"turned-by-{angle}": (
            partial(_one, b"/Rotate %d" % angle),
            Seen(size=None, quarters=colours),
        )
        for angle, colours in _TURNED.items()
    },
    "turned-by-450": (partial(_one, b"/Rotate 450"), Seen(size=None, quarters=_TURNED[90])),
    "turned-by-45": (partial(_one, b"/Rotate 45"), Seen(size=None, quarters=ANYTHING)),
    "cropped": (_cropped, Seen(size=None, quarters=(COLOURS[0],) * 4)),
    "crop-box-outside": (partial(_one, b"/CropBox [900 900 999 999]"), _PAGE),
    "text": (partial(_text_page, b"42"), Seen(size=None, quarters=ANYTHING)),
    "scanned-as-jpeg": (partial(_scanned, "DCTDecode"), Seen(size=None, tolerance=40)),
    "scanned-and-deflated": (partial(_scanned, "FlateDecode"), _PAGE),
    "form": (_form, _PAGE),
    "blank": (partial(pdf, [Page(content=b"")]), _BLANK),
    "version-2": (partial(_one, version=b"2.0"), _PAGE),
    "saved-by-pdfium": (_saved, _PAGE),
    "of-pillow": (partial(file_of, "PDF", resolution=100), Seen(size=None, tolerance=40)),
    "of-pillow-with-pages": (
        partial(file_of, "PDF", save_all=True, append_images=[quarters()] * 2),
        Seen(size=None, tolerance=40, pictures=3),
    ),
    "size-of-its-parent": (
        partial(
            pdf,
            [Page(content=quarters_content(), media_box=None)],
            Options(pages_entries=b"/MediaBox [0 0 %d %d]" % PAGE),
        ),
        _PAGE,
    ),
    "without-a-size": (
        partial(pdf, [Page(content=b"", media_box=None)]),
        _BLANK,
    ),
    "page-of-200-inches": (partial(_of_size, 14_400, 14_400), Seen(size=None, quarters=ANYTHING)),
    "page-of-a-point": (partial(_of_size, 1, 1), Seen(size=None, quarters=ANYTHING)),
    "page-of-no-size": (partial(_of_size, 0, 0), SeenOrRefused()),
    "thin-page": (partial(_of_size, 14_400, 9), SeenOrRefused()),
    "thin-page-among-others": (
        partial(
            pdf,
            [quarters_page(), Page(content=b"", media_box=(0, 0, 9, 14_400)), quarters_page()],
        ),
        Seen(size=None, pictures=2, what="the other pages"),
    ),
    "user-unit": (partial(_one, b"/UserUnit 75000"), SeenOrRefused()),
    "script": (
        partial(_one, catalog=b"/OpenAction << /S /JavaScript /JS (while\\(1\\){}) >>"),
        _PAGE,
    ),
    "garbage-before-its-head": (
        partial(_one, leading=b"\r\n\r\nfrom a proxy\r\n"),
        SeenOrRefused(),
    ),
    "garbage-behind-its-end": (lambda: _one() + b"\0" * 300, _PAGE),
    "broken-table": (partial(_replaced, b"startxref\n", b"startxref\n9"), _PAGE),
    "without-a-table": (_without_table, _PAGE),
    "cut-before-its-table": (lambda: _one()[: _one().index(b"xref\n0")], SeenOrRefused()),
    "encrypted-without-a-password": (partial(_one, user_password=b""), _PAGE),
    "pages-in-a-loop": (partial(_replaced, b"/Kids [3 0 R]", b"/Kids [2 0 R]"), SeenOrRefused()),
    "giant-count": (partial(_replaced, b"/Count 1", b"/Count 2000000000"), SeenOrRefused()),
}
_REFUSED: Sequence[tuple[str, Callable[[], bytes], Expected]] = (
    (
        "with-a-password",
        partial(_one, user_password=b"secret"),
        Refused(400, "invalid_image", "password"),
    ),
    (
        "portfolio",
        partial(_one, catalog=b"/Collection << /View /D >>"),
        Refused(400, "invalid_image", "portfolio"),
    ),
    (
        "dynamic-form",
        partial(_one, catalog=b"/NeedsRendering true /AcroForm << /Fields [] /XFA (<xdp/>) >>"),
        Refused(400, "invalid_image", "XFA"),
    ),
    ("without-pages", _empty, Refused(400, "invalid_image", "page")),
    ("only-its-head", lambda: b"%PDF-1.7\n", Refused(400, "invalid_image", "")),
    ("of-noise", lambda: b"%PDF-1.7\n" + zlib.compress(bytes(9000)) * 9,
     Refused(400, "invalid_image", "")),
)  # fmt: skip


def files() -> list[StrangerFile]:
    return [
        *family("pdf", "application/pdf", {**_KINDS}),
        *family(
            "refused-pdf",
            "application/pdf",
            {name: (make, expected) for name, make, expected in _REFUSED},
        ),
    ]

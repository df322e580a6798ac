"""Small PDFs, written as bytes: of whatever pages, and good, bad or odd."""

import hashlib
import zlib
from collections.abc import Iterable, Sequence

from support.pdf_encryption import PADDING, rc4

A4 = (595, 842)
_FILE_ID = bytes(16)
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def pdf(objects: Sequence[bytes], *, trailer: bytes = b"") -> bytes:
    """A document of those objects, numbered from 1 on; the first is its catalogue."""
    file, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        bytes(file)
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (size, trailer)
        + b"startxref\n%d\n%%%%EOF\n" % len(file)
    )


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(content), content)


def deflated(content: bytes, entries: bytes = b"") -> bytes:
    return stream(zlib.compress(content, 9), entries + b"/Filter/FlateDecode")


def line_of_text(text: str, *, at: tuple[int, int] = (72, 700), height: int = 24) -> bytes:
    """What writes a line on a page, from a point in 1/72 inch from its lower left corner."""
    return b"BT /F %d Tf %d %d Td (%s) Tj ET\n" % (height, *at, text.encode())


def document(
    contents: Iterable[bytes],
    *,
    size: tuple[float, float] = A4,
    page: bytes = b"",
    resources: bytes = b"",
    objects: Sequence[bytes] = (),
    catalogue: bytes = b"",
    trailer: bytes = b"",
) -> bytes:
    """A document with a page of that size, in 1/72 inch, for each stream of contents.

    `page`, `resources` and `catalogue` are further entries of those dictionaries. `objects` come
    after the first four, of which 3 is the font, and 4 the first page's contents.
    """
    contents = list(contents)
    first = 4 + len(contents) + len(objects)
    pages = [
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %f %f]/Contents %d 0 R"
        b"/Resources<</Font<</F 3 0 R>>%s>>%s>>" % (*size, number, resources, page)
        for number in _numbers(4, contents, objects)
    ]
    kids = b" ".join(b"%d 0 R" % (first + index) for index in range(len(pages)))
    return pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R%s>>" % catalogue,
            b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages)),
            _FONT,
            *contents[:1],
            *objects,
            *contents[1:],
            *pages,
        ],
        trailer=trailer,
    )


def _numbers(first: int, contents: Sequence[bytes], between: Sequence[bytes]) -> list[int]:
    later = range(first + 1 + len(between), first + len(contents) + len(between))
    return [first, *later][: len(contents)]


def text_document(*lines: str) -> bytes:
    """A document with a page for each line."""
    return document(stream(line_of_text(line)) for line in lines)


def form(value: str, *, field: bytes = b"") -> bytes:
    """A page with the field "Name:", filled in. `field` has further entries of it."""
    return document(
        [stream(line_of_text("Name:", at=(20, 120)))],
        size=(300, 200),
        page=b"/Annots[5 0 R]",
        catalogue=b"/AcroForm<</Fields[5 0 R]/DR<</Font<</F 3 0 R>>>>/DA(/F 24 Tf 0 g)>>",
        objects=[
            b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(%s)/DA(/F 24 Tf 0 g)"
            b"/Rect[20 50 280 90]/F 4%s>>" % (value.encode(), field)
        ],
    )


def locked(*, handler: bytes = b"Standard") -> bytes:
    """A document that is not read without a password."""
    keys = b"/O<%s>/U<%s>" % (b"41" * 32, b"42" * 32)
    encryption = b"<</Filter/%s/V 1/R 2%s/P -4>>" % (handler, keys)
    trailer = b"/Encrypt %s/ID[<%s><%s>]" % (encryption, *[_FILE_ID.hex().encode()] * 2)
    return document([stream(line_of_text("Secret"))], trailer=trailer)


def read_only(text: str) -> bytes:
    """An encrypted document that everyone may read, and only its owner change."""
    owner = rc4(_key(PADDING), PADDING)
    permissions = -44
    of_file = owner + permissions.to_bytes(4, "little", signed=True) + _FILE_ID
    key = _key(PADDING + of_file)
    user = rc4(key, PADDING)
    # Of object 4, generation 0, which has the contents.
    key_of_object = hashlib.md5(key + b"\4\0\0\0\0").digest()[:10]
    encryption = b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P %d>>" % (
        owner.hex().encode(),
        user.hex().encode(),
        permissions,
    )
    trailer = b"/Encrypt %s/ID[<%s><%s>]" % (encryption, *[_FILE_ID.hex().encode()] * 2)
    return document([stream(rc4(key_of_object, line_of_text(text)))], trailer=trailer)


def _key(of: bytes) -> bytes:
    return hashlib.md5(of).digest()[:5]

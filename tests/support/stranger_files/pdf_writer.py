"""Writes PDFs by hand: pages of four coloured quarters, turned, cropped, encrypted, broken."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from support.pdf_encryption import PADDING, rc4
from support.stranger_files.expectations import BLACK, COLOURS, Quarters

# Of a page, in points of 1/72 inch.
PAGE = (240, 160)
_MAY_PRINT = -4
_ID = b"0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: what it draws in PDF's own operators, and more entries of its dictionary."""

    content: bytes
    entries: bytes = b""
    media_box: tuple[float, float, float, float] | None = (0, 0, *PAGE)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the pages are written. `objects` are further ones, from number 1 on."""

    objects: Sequence[bytes] = ()
    catalog: bytes = b""
    user_password: bytes | None = None
    version: bytes = b"1.4"
    pages_entries: bytes = b""
    leading: bytes = field(default=b"", repr=False)


def quarters_content(colours: Quarters = COLOURS, *, scale: float = 1) -> bytes:
    """Return the operators that fill the four quarters of a page."""
    width, height = (side * scale / 2 for side in PAGE)
    lines = []
    for at, colour in enumerate(colours):
        red, green, blue = (channel / 255 for channel in colour or BLACK)
        # The origin is at the bottom.
        left, bottom = at % 2 * width, (1 - at // 2) * height
        lines.append(
            f"{red:.4f} {green:.4f} {blue:.4f} rg {left:g} {bottom:g} {width:g} {height:g} re f"
        )
    return "\n".join(lines).encode()


def quarters_page(colours: Quarters = COLOURS, *, entries: bytes = b"") -> Page:
    return Page(content=quarters_content(colours), entries=entries)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), entries, content)


def pdf(pages: Sequence[Page], options: Options | None = None) -> bytes:
    """Return a PDF of these pages; with a password its streams are RC4 of 40 bits."""
    wanted = options or Options()
    first = len(wanted.objects) + 3
    kids = b" ".join(b"%d 0 R" % (first + 2 * at) for at in range(len(pages)))
    catalog = len(wanted.objects) + 1
    objects = [
        *wanted.objects,
        b"<< /Type /Catalog /Pages %d 0 R %b >>" % (catalog + 1, wanted.catalog),
        b"<< /Type /Pages /Kids [%b] /Count %d %b >>" % (kids, len(pages), wanted.pages_entries),
    ]
    key, encryption = b"", b""
    if wanted.user_password is not None:
        key, encryption = _encryption(wanted.user_password)
    for page in pages:
        number = len(objects) + 1
        box = b""
        if page.media_box is not None:
            box = b"/MediaBox [%b]" % b" ".join(b"%g" % side for side in page.media_box)
        objects.append(
            b"<< /Type /Page /Parent %d 0 R %b /Contents %d 0 R %b >>"
            % (catalog + 1, box, number + 1, page.entries)
        )
        content = rc4(_object_key(key, number + 1), page.content) if key else page.content
        objects.append(stream(content))
    return wanted.leading + _file(objects, catalog, encryption, wanted.version)


def _file(objects: Sequence[bytes], catalog: int, encryption: bytes, version: bytes) -> bytes:
    """Return objects as a file, with the table of where each of them begins."""
    data = b"%%PDF-%b\n%%\xe2\xe3\xcf\xd3\n" % version
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(data)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    trailer = b"/Size %d /Root %d 0 R /ID [<%b> <%b>] %b" % (
        len(objects) + 1,
        catalog,
        _ID.hex().encode(),
        _ID.hex().encode(),
        encryption,
    )
    return data + b"trailer << %b >>\nstartxref\n%d\n%%%%EOF\n" % (trailer, start)


def _encryption(password: bytes) -> tuple[bytes, bytes]:
    """Return the key, and the trailer's entry: the standard handler, revision 2 (ISO 32000-1)."""
    padded = (password + PADDING)[:32]
    owner = rc4(hashlib.md5((b"owner" + PADDING)[:32]).digest()[:5], padded)
    permissions = struct.pack("<i", _MAY_PRINT)
    key = hashlib.md5(padded + owner + permissions + _ID).digest()[:5]
    user = rc4(key, PADDING)
    entry = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P %d /O <%b> /U <%b> >>" % (
        _MAY_PRINT,
        owner.hex().encode(),
        user.hex().encode(),
    )
    return key, entry


def _object_key(key: bytes, number: int) -> bytes:
    return hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[: len(key) + 5]

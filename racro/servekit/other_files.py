"""Names the files that people send as images and that are none, or none that we take."""

import re
import zlib

_SVG = "SVG, a drawing without pixels, which is not taken: send it as PNG"
_HEAD = 4096
_NAMES = (
    # TIFFs whose pixels are a camera's own; others of them are no images here.
    (rb"II[*+]\0|MM\0[*+]|.{4}ftypcrx ", "a raw photograph (DNG, NEF, ARW, CR2 or CR3)"),
    (rb"8BPS", "a Photoshop file (PSD)"),
    (rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (rb"II\xbc", "JPEG XR"),
    (rb"icns", "an icon of macOS (ICNS)"),
    (rb"\0[\0\x01][\x01-\x03\x09-\x0b]\0{5}", "a Targa image (TGA)"),
    (rb"\0\0\x02\0", "a cursor of Windows (CUR)"),
    (rb"DDS ", "a texture (DDS)"),
    (rb"P[1-7][\s#]", "a Netpbm image (PBM, PGM, PPM or PAM)"),
    (rb"\x76\x2f\x31\x01", "OpenEXR"),
    (rb"#\?RADIANCE", "a Radiance image (HDR)"),
    (rb"qoif", "QOI"),
    (rb"BPG\xfb", "BPG"),
    (rb"gimp xcf", "a GIMP file (XCF)"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript"),
    (rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF", "a Windows metafile"),
    (rb".{128}DICM", "DICOM"),
    (rb"AT&TFORM", "DjVu"),
    (rb".{4}ftyp(?:mif2|miaf|avci|avcs|MA1[AB]|jpeg|jpgs|mi[fa].)", "a kind of HEIF"),
    (rb".{4}ftyp(?:M4[ABP] |F4A )", "sound"),
    (
        rb".{4}(?:ftyp|moov|wide|mdat|pnot)|\x1a\x45\xdf\xa3|RIFF.{4}AVI |\0\0\x01[\xb3\xba]|FLV",
        "a video",
    ),
    (rb"RIFF.{4}WAVE|ID3|OggS|fLaC|\xff[\xfb\xf3\xf2]", "sound"),
    (rb"PK\x03\x04", "a ZIP archive, or a document that is one (DOCX, XLSX, PPTX)"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of Microsoft Office"),
    (rb"\{\\rtf", "a document (RTF)"),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd", "an archive"),
    (rb"\x7fELF|MZ", "a program"),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), name) for pattern, name in _NAMES)
# Elements that a document in XML seldom begins with, behind comments: of HTML without its own head.
_COMMENTS = re.compile(rb"(?:\s*<!--(?:[^-]|-(?!->))*-->)*\s*")
_HTML = re.compile(
    rb"<(?:!doctype html|html|head|body|meta|title|script|style|link|div|span|p|h[1-6]|table|ul|ol|"
    rb"img|a|center|form|iframe|br|b|section|main|article|nav|header|footer)[\s>/]"
)
_TEXT = re.compile(rb"[^\0-\x08\x0e-\x1a\x1c-\x1f\x7f]*")


def name_of_file(data: bytes) -> str | None:
    """Return what a file is, with its article, by its first 4 KiB; None where that is not known."""
    if data.startswith(b"\x1f\x8b") and _is_svg(_unpacked(data)):
        return _SVG
    if _is_svg(head := data[:_HEAD]):
        return _SVG
    for pattern, name in _PATTERNS:
        if pattern.match(head):
            return name
    return _name_of_text(head)


def _unpacked(data: bytes) -> bytes:
    """Return the first bytes of what gzip packed, as .svgz files are."""
    try:
        return zlib.decompressobj(31).decompress(data[:_HEAD], _HEAD)
    except zlib.error:
        return b""


def _markup(head: bytes) -> bytes:
    """Return the beginning of a text in lower case; UTF-16 is told apart by nothing but zeros."""
    return head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()


def _is_svg(head: bytes) -> bool:
    """Tell whether the first root of a document in XML that is known is SVG's."""
    markup = _markup(head)
    if not markup.startswith(b"<"):
        return False
    svg, html = markup.find(b"<svg"), markup.find(b"<html")
    if svg < 0:
        svg = markup.find(b"http://www.w3.org/2000/svg")
    return svg >= 0 and not 0 <= html < svg and not markup.startswith(b"<!doctype html")


def _name_of_text(head: bytes) -> str | None:
    markup = _markup(head)
    comments = _COMMENTS.match(markup)
    begin = comments.end() if comments else 0
    if _HTML.match(markup, begin) or b"<html" in markup:
        return "a page of HTML"
    if not _TEXT.fullmatch(head):
        return None
    if markup.startswith(b"<"):
        return "XML"
    if markup.startswith((b"{", b"[")):
        return "JSON"
    return "text"

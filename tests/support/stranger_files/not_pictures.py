"""What people take for pictures, or send by mistake, and formats that are not read."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial

from support.stranger_files.drawing import file_of
from support.stranger_files.expectations import Expected, Refused, StrangerFile, family
from support.stranger_files.png_kinds import png
from support.stranger_files.tiff_writer import tiff

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect/></svg>'
_PROLOG = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_DOCTYPE = (
    b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    b'"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
)
_IS_SVG = Refused(415, "unsupported_media_type", "SVG")
_UNKNOWN = Refused(415, "unsupported_media_type", "PNG")
_EMPTY = Refused(400, "invalid_image", "empty")
_FTYP = b"\0\0\0\x18ftyp%b\0\0\0\0%bisom"


def _zip(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # Of no time but this one.
        archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("image.png"), io.BytesIO())
    return buffer.getvalue()


def _cursor() -> bytes:
    icon = file_of("ICO", sizes=[(16, 16)])
    return icon[:2] + b"\2\0" + icon[4:]


_SVGS = {
    "plain": lambda: _SVG,
    "prolog": lambda: _PROLOG + _SVG,
    "doctype": lambda: _PROLOG + _DOCTYPE + _SVG,
    "byte-order-mark": lambda: b"\xef\xbb\xbf" + _PROLOG + _SVG,
    "white-space": lambda: b"\r\n\t  \n" + _SVG,
    "comment": lambda: _PROLOG + b"<!-- Generator: Adobe Illustrator -->\n" + _SVG,
    "long-comment": lambda: b"<!--" + b" drawn " * 200 + b"-->" + _SVG,
    "namespace": lambda: _SVG.replace(b"<svg xmlns", b"<svg:svg xmlns:svg").replace(
        b"</svg>", b"</svg:svg>"
    ),
    "capitals": _SVG.upper,
    "utf-16": lambda: (_PROLOG + _SVG).decode().encode("utf-16"),
    "utf-16-big-endian": lambda: "\ufeff".encode("utf-16-be") + _SVG.decode().encode("utf-16-be"),
}
_TEXTS: dict[str, Callable[[], bytes]] = {
    "html": lambda: b"<!doctype html><html><body>Please log in</body></html>",
    "html-with-a-drawing": lambda: b"<!doctype html><html><body>" + _SVG + b"</body></html>",
    "html-behind-a-comment": lambda: b"<!-- saved -->\n<div>Please log in</div>",
    "html-about-pdf": lambda: b"<html><p>Save as %PDF-1.7</p></html>",
    "xml": lambda: _PROLOG + b"<Error><Code>AccessDenied</Code></Error>",
    "json": lambda: json.dumps({"error": "no such file"}).encode(),
    "text": lambda: b"a picture of a bar chart",
    "base64": lambda: b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
    "data-url": lambda: b"data:image/png;base64,iVBORw0KGgo=",
    "file-pointer": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "markdown": lambda: b"![chart](chart.png)",
    "postscript": lambda: file_of("EPS"),
    "xpm": lambda: b"/* XPM */\nstatic char *x[] = {\n",
    "rtf": lambda: b"{\\rtf1\\ansi hello}",
    "csv": lambda: b"month,value\nMay,42\n",
}
_BINARIES: dict[str, Callable[[], bytes]] = {
    "zeros": partial(bytes, 1000),
    "one-byte": lambda: b"\x89",
    "zip": partial(_zip, "image.png", png()),
    "docx": partial(_zip, "[Content_Types].xml", b"<Types/>"),
    "gzipped-svg": lambda: gzip.compress(_SVG, mtime=0),
    "gzipped-png": lambda: gzip.compress(png(), mtime=0),
    "tar": _tar,
    "mp4": lambda: _FTYP % (b"isom", b"mp41") + bytes(500),
    "quicktime": lambda: _FTYP % (b"qt  ", b"qt  ") + bytes(500),
    "mov-that-begins-with-its-index": lambda: b"\0\0\2\0moov" + bytes(500),
    "m4a": lambda: _FTYP % (b"M4A ", b"isom") + bytes(500),
    "cr3": lambda: _FTYP % (b"crx ", b"crx ") + bytes(500),
    "heif-of-another-codec": lambda: _FTYP % (b"miaf", b"MA1B") + bytes(500),
    "bpg": lambda: b"BPG\xfb" + bytes(500),
    "dng": lambda: tiff([[0], [1], [2], [3]], photometric=1, tags={50706: (4, [1])}),
    "webm": lambda: b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01webm" + bytes(100),
    "avi": lambda: b"RIFF\xe8\3\0\0AVI LIST" + bytes(1000),
    "wav": lambda: b"RIFF\xe8\3\0\0WAVEfmt " + bytes(1000),
    "ogg": lambda: b"OggS\0\2" + bytes(100),
    "mp3": lambda: b"ID3\4\0" + bytes(100),
    "ppm": partial(file_of, "PPM"),
    "tga": partial(file_of, "TGA"),
    "pcx": partial(file_of, "PCX"),
    "dds": partial(file_of, "DDS"),
    "sgi": partial(file_of, "SGI"),
    "icns": lambda: b"icns\0\0\1\0ic07" + bytes(248),
    "qoi": lambda: b"qoif\0\0\0\x10\0\0\0\x10\3\0" + bytes(64),
    "psd": lambda: b"8BPS\0\1" + bytes(6) + b"\0\3" + struct.pack(">II", 16, 16) + b"\0\x08\0\3",
    "cursor": _cursor,
    "jpeg-xl": lambda: b"\xff\x0a" + bytes(64),
    "jpeg-xl-in-boxes": lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(64),
    "jpeg-xr": lambda: b"II\xbc\1\x08\0\0\0" + bytes(64),
    "windows-metafile": lambda: b"\xd7\xcd\xc6\x9a" + bytes(64),
    "radiance": lambda: b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\1\1\1\1",
    "exr": lambda: b"v/1\1\2\0\0\0" + bytes(64),
    "dicom": lambda: bytes(128) + b"DICM" + bytes(64),
    "fits": lambda: b"SIMPLE  =                    T" + b" " * 50,
    "executable": lambda: b"\x7fELF\2\1\1" + bytes(64),
    "sqlite": lambda: b"SQLite format 3\0" + bytes(84),
    "pickle": lambda: b"\x80\4\x95\0\0\0\0\0\0\0\0.",
}  # fmt: skip


def files() -> list[StrangerFile]:
    def refused(
        rows: dict[str, Callable[[], bytes]], expected: Expected
    ) -> dict[str, tuple[Callable[[], bytes], Expected]]:
        return {name: (make, expected) for name, make in rows.items()}

    return [
        *family("svg", "image/svg+xml", refused(_SVGS, _IS_SVG)),
        *family("text", "text/plain", refused(_TEXTS, _UNKNOWN)),
        *family("no-picture", "application/octet-stream", refused(_BINARIES, _UNKNOWN)),
        *family("empty", "image/png", refused({"no-bytes": bytes}, _EMPTY)),
    ]

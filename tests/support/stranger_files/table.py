"""The table of docs/api.md: what becomes of each kind of file, by where it comes from.

`PYTHONPATH=.:tests python -m support.stranger_files.table` writes it again. What it says is what
the files are expected to come to, and tests/system/test_strangers_pictures.py has each of its rows
go in by each of its columns.
"""

from collections.abc import Iterator
from pathlib import Path

from support.stranger_files import FILES
from support.stranger_files.expectations import Expected, Seen
from support.stranger_files.heic import WITHOUT_EXTRA

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
BEGIN = "<!-- python -m support.stranger_files.table -->"
END = "<!-- until here -->"
COLUMNS = ("data URL", "upload", "http URL", "part of a chat", "`racro solve`")
_HEIC = "HEIC, where the captioner has the extra `heif`"
ROWS: dict[str, tuple[str, ...]] = {
    "PNG: any colour type and depth, interlaced or not": ("png/rgb-16-interlaced", "png/grey-1"),
    "PNG, animated": ("animated-png/default-image-is-the-first-frame",),
    "PNG with large or damaged metadata": (
        "png-with-metadata/color-profile-over-1-mib",
        "png-with-metadata/broken-checksum-text",
    ),
    "JPEG: baseline or progressive, grey, RGB, CMYK, YCCK": (
        "jpeg/progressive",
        "jpeg/cmyk",
        "jpeg/ycck",
    ),
    "JPEG of several pictures (MPO), with a film behind it": (
        "multi-picture-jpeg/of-a-phone",
        "jpeg-with-metadata/followed-by-a-film",
    ),
    "GIF": ("gif/interlaced",),
    "GIF, animated": ("animated-gif/looped",),
    "WebP: lossy or lossless": ("webp/lossy", "webp/lossless"),
    "WebP, animated": ("animated-webp/lossy",),
    "AVIF": ("avif/plain",),
    "AVIF, a sequence": ("animated-avif/of-3-frames",),
    "BMP of other bit masks, or with a PNG or JPEG in it": ("bmp/masks-of-10-bits",),
    "BMP": ("bmp/runs-of-8-bits", "bmp/header-of-version-5"),
    "TIFF": ("compressed-tiff/1-bit-group4", "tiff/tiles"),
    "DNG and other raw photographs": ("no-picture/dng", "no-picture/cr3"),
    "TIFF of several pages, or behind a thumbnail": (
        "multi-page-tiff/of-3-pages",
        "tiff/behind-a-thumbnail",
    ),
    "ICO": ("ico/of-many-sizes",),
    "JPEG 2000": ("jpeg-2000/plain", "jpeg-2000/code-stream"),
    "JPEG 2000: colours of more than 8 bits a channel": ("jpeg-2000/rgb-16-bit",),
    "Turned by EXIF data (or TIFF's or AVIF's own)": (
        "turned-jpeg/exif-6",
        "turned-avif/exif-5",
        "turned-tiff/orientation-8",
    ),
    "Transparent: on white or black, whichever shows its ink": (
        "transparent-png/black-ink-on-black-rgba",
        "transparent-webp/lossless-white-ink-on-white",
    ),
    _HEIC: ("heic/of-a-phone",),
    "PDF": ("pdf/one-page",),
    "PDF of many pages": ("pdf/12-pages",),
    "PDF with a page that cannot be read, which a line stands for": ("pdf/thin-page-among-others",),
    "PDF that is a portfolio, or a dynamic form (XFA)": (
        "refused-pdf/portfolio",
        "refused-pdf/dynamic-form",
    ),
    "PDF that needs a password": ("refused-pdf/with-a-password",),
    "SVG": ("svg/plain", "svg/doctype"),
    "Text, HTML, JSON": ("text/html",),
    "Films, archives, other formats of pictures": ("no-picture/mp4", "no-picture/zip"),
    "Too thin": ("sizes-of-png/201x1",),
    "Nothing (0 bytes)": ("empty/no-bytes",),
}


def _expected(names: tuple[str, ...]) -> Expected:
    """Return what all files of a row come to; the one that says most about it."""
    found = {FILES[name].expected.what: FILES[name].expected for name in names if name in FILES}
    if len(found) > 1:
        found.pop(Seen().what, None)
    [expected] = found.values() or [Seen()]
    return expected


def _row(label: str, expected: Expected, *, more: str = "") -> str:
    """Return a row, whose columns are alike: a file is judged by its bytes alone."""
    told = "seen" if isinstance(expected, Seen) else "refused"
    return f"| {label} | {expected.what}{more} | {' | '.join([told] * len(COLUMNS))} |"


def lines() -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| file | what is seen, or the error | {' | '.join(COLUMNS)} |"
    yield "|---" * (len(COLUMNS) + 2) + "|"
    for label, names in ROWS.items():
        if label == _HEIC:
            yield _row(label, Seen(what="the picture"))
            yield _row("HEIC elsewhere", WITHOUT_EXTRA, more=", which names the extra")
        else:
            yield _row(label, _expected(names))


def written(document: str) -> str:
    """Return the document with the table as it is now. Raises ValueError where it has no place."""
    before, begin, rest = document.partition(BEGIN)
    _, end, behind = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no place for the table: {BEGIN} … {END}")
    return "".join([before, begin, "\n\n", "\n".join(lines()), "\n\n", end, behind])


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))

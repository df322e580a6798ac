"""WebP: both codecs, alpha, animations, and the chunks beside the pixels."""

import struct
from collections.abc import Callable
from functools import partial, reduce

from PIL import Image

from support.stranger_files.drawing import (
    STORED,
    animated,
    exif_of,
    file_of,
    inked,
    quarters,
    turned_file,
)
from support.stranger_files.expectations import (
    BLACK,
    GREYS,
    WHITE,
    Expected,
    Seen,
    SeenOrRefused,
    StrangerFile,
    family,
)
from support.stranger_files.png_chunks import profile
from support.stranger_files.png_kinds import ANY_INK

Rows = dict[str, Callable[[], bytes] | tuple[Callable[[], bytes], Expected]]

_LOSSY = Seen(tolerance=40)
_FIRST = Seen(tolerance=40, what="the first frame")


def webp(image: Image.Image | None = None, **options: object) -> bytes:
    return file_of("WEBP", image, **options)


def _with_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a lossless WebP with one more chunk at its end."""
    body = webp(lossless=True, exif=exif_of(1))[8:] + kind + struct.pack("<I", len(content))
    body += content + bytes(len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _cut_in_a_header() -> bytes:
    """Return a WebP whose last chunk is a header of which nothing but its head is there."""
    body = webp()[12:42]
    body = b"WEBP" + body[:4] + struct.pack("<I", len(body) - 8) + body[8:] + b"VP8X\x0a\0\0\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _kinds() -> Rows:
    return {
        "lossy": (webp, _LOSSY),
        "lossless": partial(webp, lossless=True),
        "of-lowest-quality": (partial(webp, quality=0), Seen(tolerance=90)),
        "of-highest-quality": (partial(webp, quality=100), _LOSSY),
        "near-lossless": (partial(webp, lossless=True, quality=20), _LOSSY),
        "grey": (
            partial(webp, quarters(GREYS, mode="L"), lossless=True),
            Seen(quarters=GREYS),
        ),
        "opaque-alpha": (partial(webp, quarters(mode="RGBA")), _LOSSY),
        "lossless-opaque-alpha": partial(webp, quarters(mode="RGBA"), lossless=True),
        "of-a-palette": (partial(webp, quarters(mode="P"), lossless=True), _LOSSY),
    }


def _metadata() -> Rows:
    return {
        "profile": partial(webp, lossless=True, icc_profile=profile()),
        "profile-that-is-none": partial(webp, lossless=True, icc_profile=b"none"),
        "xmp": partial(webp, lossless=True, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"),
        "xmp-that-is-no-xml": partial(webp, lossless=True, xmp=b"<<<\xff\0"),
        "exif-of-garbage": partial(webp, lossless=True, exif=b"Exif\0\0II*\0\xff\xff\xff\xff?"),
        "exif-that-is-none": partial(webp, lossless=True, exif=b"none"),
        "unknown-chunk": partial(_with_chunk, b"WHAT", b"ever"),
        "large-unknown-chunk": partial(_with_chunk, b"WHAT", bytes(3 * 2**20)),
        "cut-in-a-header": (_cut_in_a_header, SeenOrRefused()),
        "followed-by-zeros": lambda: webp(lossless=True) + bytes(500),
    }


def _turns() -> Rows:
    return {f"exif-{value}": partial(turned_file, "WEBP", value, lossless=True) for value in STORED}


def _moving() -> Rows:
    return {
        "lossy": (partial(animated, "WEBP", duration=100), _FIRST),
        "lossless": (partial(animated, "WEBP", lossless=True, duration=100), _FIRST),
        "of-60-frames": (partial(animated, "WEBP", frames=60, duration=20), _FIRST),
        "on-a-background": (
            partial(animated, "WEBP", background=(0, 0, 255, 255), duration=9),
            _FIRST,
        ),
        "cut-in-a-later-frame": (
            lambda: animated("WEBP", frames=9, duration=20)[:-60],
            SeenOrRefused(),
        ),
    }


def _transparent() -> Rows:
    return {
        f"{codec}-{name}-ink-on-{other}": (
            partial(webp, inked(ink, beneath=beneath), lossless=lossless, exact=True),
            Seen(quarters=ANY_INK[ink], has_ink=True, tolerance=40),
        )
        for codec, lossless in {"lossy": False, "lossless": True}.items()
        for name, ink in {"black": BLACK, "white": WHITE}.items()
        for other, beneath in {"black": BLACK, "white": WHITE}.items()
    }


def files() -> list[StrangerFile]:
    named = {
        "webp": _kinds(),
        "webp-with-metadata": _metadata(),
        "turned-webp": _turns(),
        "animated-webp": _moving(),
        "transparent-webp": _transparent(),
    }
    return reduce(
        lambda files, row: files + family(row[0], "image/webp", row[1]), named.items(), []
    )

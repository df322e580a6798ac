"""TIFF: compressions, byte orders, tiles, depths, colour spaces, pages and turns."""

import struct
from collections.abc import Callable
from functools import partial

from PIL import Image

from support.stranger_files.drawing import (
    STORED,
    animated,
    black_and_white,
    exif_of,
    file_of,
    inked,
    quarters,
    turned,
)
from support.stranger_files.expectations import (
    ANYTHING,
    BLACK,
    COLOURS,
    GREYS,
    ONE_BLACK,
    WHITE,
    Expected,
    Seen,
    SeenOrRefused,
    StrangerFile,
    family,
)
from support.stranger_files.png_chunks import profile
from support.stranger_files.png_kinds import ANY_INK
from support.stranger_files.tiff_writer import (
    BLACK_IS_ZERO,
    PALETTE,
    WHITE_IS_ZERO,
    tiff,
)

_RGB = [colour or BLACK for colour in COLOURS]
_GREYS = [(colour or BLACK)[:1] for colour in GREYS]
_DEEP = [[value * 257 for value in colour] for colour in _RGB]
_SHORT, _EXTRA_SAMPLES, _COLOR_MAP = 3, 338, 320
_GREY, _TWO = Seen(quarters=GREYS), Seen(quarters=ONE_BLACK)
_JPEG = Seen(tolerance=40)


def of_pillow(image: Image.Image | None = None, **options: object) -> bytes:
    return file_of("TIFF", image, **options)


def _greys(mode: str) -> Image.Image:
    """Return the greys at the full depth of a mode of sixteen or more bits."""
    greys = quarters(GREYS, mode="L")
    if mode == "F":
        return greys.convert("F").point(lambda value: value * (1 / 255))
    return greys.convert("I").point(lambda value: value * 257).convert(mode)


def _palette() -> bytes:
    channels = list(zip(*_RGB, strict=True))
    table = [value * 257 for channel in channels for value in (*channel, *[0] * 12)]
    return tiff(
        [[0], [1], [2], [3]], photometric=PALETTE, bits=4, tags={_COLOR_MAP: (_SHORT, table)}
    )


def _palette_of_8_bits() -> bytes:
    channels = list(zip(*_RGB, strict=True))
    table = [value for channel in channels for value in (*channel, *[0] * 12)]
    return tiff(
        [[0], [1], [2], [3]], photometric=PALETTE, bits=4, tags={_COLOR_MAP: (_SHORT, table)}
    )


def _behind_a_thumbnail() -> bytes:
    """Return a TIFF whose first directory says that it is of a page at a smaller size."""
    data = tiff(_RGB)
    page = int.from_bytes(data[4:8], "little")
    directory = struct.pack("<HHHIII", 1, 254, 4, 1, 1, page)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + directory


def _turned(orientation: int) -> bytes:
    return of_pillow(turned(orientation), tiffinfo={0x0112: orientation})


_COMPRESSIONS = {
    **{
        name.removeprefix("tiff_").replace("_", "-"): (partial(of_pillow, compression=name), Seen())
        for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits")
    },
    "jpeg": (partial(of_pillow, compression="jpeg", quality=90), _JPEG),
    **{
        f"1-bit-{name}": (partial(of_pillow, black_and_white(), compression=name), _TWO)
        for name in ("raw", "tiff_ccitt", "group3", "group4", "tiff_lzw", "packbits")
    },
    "lzw-predicted": (
        partial(of_pillow, compression="tiff_lzw", tiffinfo={317: 2}),
        Seen(),
    ),
    "zstd": (partial(of_pillow, compression="zstd"), Seen()),
    "lzma": (partial(of_pillow, compression="lzma"), Seen()),
}
_KINDS: dict[str, tuple[Callable[[], bytes], Expected]] = {
    "plain": (of_pillow, Seen()),
    "little-endian": (partial(tiff, _RGB), Seen()),
    "big-endian": (partial(tiff, _RGB, order=">"), Seen()),
    "bigtiff": (partial(tiff, _RGB, big=True), Seen()),
    # Pillow knows BigTIFFs in Intel's byte order alone.
    "bigtiff-big-endian": (partial(tiff, _RGB, big=True, order=">"), SeenOrRefused()),
    "bigtiff-of-pillow": (partial(of_pillow, big_tiff=True), Seen()),
    "strips-of-a-row": (partial(tiff, _RGB, rows_a_strip=1), Seen()),
    "tiles": (partial(tiff, _RGB, tile=16), Seen()),
    "tiles-that-stick-out": (partial(tiff, _RGB, tile=64), Seen()),
    "planes": (partial(tiff, _RGB, planar=True), Seen()),
    "planes-of-16-bits": (partial(tiff, _DEEP, bits=16, planar=True), Seen()),
    "palette-of-8-bit-entries": (_palette_of_8_bits, Seen()),
    "fourth-sample-of-zeros": (partial(tiff, [[*colour, 0] for colour in _RGB]), Seen()),
    "grey-8-bit-signed": (
        partial(
            tiff, [[(one[0] - 128) % 256] for one in _GREYS], photometric=BLACK_IS_ZERO,
            tags={339: (_SHORT, [2])},
        ),
        _GREY,
    ),
    "grey-32-bit-unsigned": (
        partial(
            tiff, [[one[0] * 0x01010101] for one in _GREYS], bits=32, photometric=BLACK_IS_ZERO
        ),
        _GREY,
    ),
    "behind-a-thumbnail": (_behind_a_thumbnail, Seen()),
    "16-bit-rgb": (partial(tiff, _DEEP, bits=16), Seen()),
    "16-bit-rgb-big-endian": (partial(tiff, _DEEP, bits=16, order=">"), Seen()),
    "palette": (_palette, Seen()),
    "palette-of-pillow": (partial(of_pillow, quarters().quantize(4)), Seen()),
    "grey": (partial(tiff, _GREYS, photometric=BLACK_IS_ZERO), _GREY),
    "grey-white-is-zero": (
        partial(tiff, [[255 - one[0]] for one in _GREYS], photometric=WHITE_IS_ZERO),
        _GREY,
    ),
    "grey-4-bit": (
        partial(tiff, [[0], [5], [10], [15]], bits=4, photometric=BLACK_IS_ZERO),
        _GREY,
    ),
    "grey-2-bit": (partial(tiff, [[0], [1], [2], [3]], bits=2, photometric=BLACK_IS_ZERO), _GREY),
    "grey-16-bit": (partial(of_pillow, _greys("I;16")), _GREY),
    "grey-16-bit-big-endian": (
        partial(
            tiff, [[one[0] * 257] for one in _GREYS], bits=16, order=">", photometric=BLACK_IS_ZERO
        ),
        _GREY,
    ),
    "grey-16-bit-white-is-zero": (
        partial(
            tiff, [[65535 - one[0] * 257] for one in _GREYS], bits=16, photometric=WHITE_IS_ZERO
        ),
        _GREY,
    ),
    "grey-32-bit": (partial(of_pillow, _greys("I")), Seen(quarters=(*GREYS[:1], *[None] * 3))),
    "float": (partial(of_pillow, _greys("F")), Seen(quarters=ANYTHING)),
    "1-bit-white-is-zero": (
        partial(tiff, [[1], [0], [0], [0]], bits=1, photometric=WHITE_IS_ZERO),
        _TWO,
    ),
    "grey-alpha": (partial(of_pillow, quarters(GREYS, mode="LA")), _GREY),
    "cmyk": (partial(of_pillow, quarters(mode="CMYK")), Seen()),
    "lab": (partial(of_pillow, quarters(mode="LAB")), Seen(tolerance=40)),
    "ycbcr": (partial(of_pillow, quarters(mode="YCbCr")), _JPEG),
    "unspecified-fourth-sample": (
        partial(
            tiff, [[*colour, 255] for colour in _RGB], tags={_EXTRA_SAMPLES: (_SHORT, [0])}
        ),
        Seen(),
    ),
    "associated-alpha": (
        partial(
            tiff, [[*colour, 255] for colour in _RGB], tags={_EXTRA_SAMPLES: (_SHORT, [1])}
        ),
        Seen(),
    ),
    "unknown-tags": (partial(tiff, _RGB, tags={65000: (_SHORT, [1] * 500)}), Seen()),
    "profile": (partial(of_pillow, icc_profile=profile()), Seen()),
    "profile-that-is-none": (partial(of_pillow, icc_profile=b"none"), Seen()),
    "exif": (partial(of_pillow, exif=exif_of(1)), Seen()),
    "followed-by-zeros": (lambda: of_pillow() + bytes(500), Seen()),
}  # fmt: skip


def files() -> list[StrangerFile]:
    turns = {f"orientation-{value}": partial(_turned, value) for value in STORED}
    transparent = {
        f"{name}-ink-on-{other}": (
            partial(of_pillow, inked(ink, beneath=beneath), compression="tiff_lzw"),
            Seen(quarters=ANY_INK[ink], has_ink=True),
        )
        for name, ink in {"black": BLACK, "white": WHITE}.items()
        for other, beneath in {"black": BLACK, "white": WHITE}.items()
    }
    first = Seen(what="the first page")
    pages = {
        "of-3-pages": (partial(animated, "TIFF"), first),
        "of-40-pages": (partial(animated, "TIFF", frames=40, compression="tiff_lzw"), first),
        "cut-in-a-later-page": (lambda: animated("TIFF")[:-500], first),
    }
    named = {"tiff": _KINDS, "compressed-tiff": _COMPRESSIONS, "turned-tiff": turns,
             "multi-page-tiff": pages, "transparent-tiff": transparent}  # fmt: skip
    return [file for name, rows in named.items() for file in family(name, "image/tiff", rows)]

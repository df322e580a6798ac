"""AVIF: samplings, alpha, turns by its own boxes, and image sequences."""

from functools import partial

from PIL import Image

from support.stranger_files.drawing import (
    STORED,
    animated,
    file_of,
    inked,
    quarters,
    turned_file,
)
from support.stranger_files.expectations import (
    BLACK,
    GREYS,
    WHITE,
    Seen,
    SeenOrRefused,
    StrangerFile,
    family,
)
from support.stranger_files.png_chunks import profile
from support.stranger_files.png_kinds import ANY_INK

_TOLERANCE = 40
AVIF = Seen(tolerance=_TOLERANCE)
_FIRST = Seen(tolerance=_TOLERANCE, what="the first frame")


def avif(image: Image.Image | None = None, **options: object) -> bytes:
    return file_of("AVIF", image, **{"speed": 10, **options})


def _branded(brand: bytes) -> bytes:
    """Return an AVIF that names another brand first, and its own among the compatible ones."""
    data = avif()
    return data[:8] + brand + data[12:]


def files() -> list[StrangerFile]:
    kinds = {
        "plain": (avif, AVIF),
        **{
            f"sampled-{name.replace(':', '')}": (partial(avif, subsampling=name), AVIF)
            for name in ("4:4:4", "4:2:2", "4:2:0")
        },
        "grey": (
            partial(avif, quarters(GREYS, mode="L")),
            Seen(quarters=GREYS, tolerance=_TOLERANCE),
        ),
        "without-colour": (
            partial(avif, quarters(GREYS), subsampling="4:0:0"),
            Seen(quarters=GREYS, tolerance=_TOLERANCE),
        ),
        "of-limited-range": (partial(avif, range="limited"), AVIF),
        "of-highest-quality": (partial(avif, quality=100), AVIF),
        "opaque-alpha": (partial(avif, quarters(mode="RGBA")), AVIF),
        "in-tiles": (partial(avif, quarters(size=(600, 400)), tile_cols=1, tile_rows=1),
                     Seen(tolerance=_TOLERANCE, size=(600, 400))),
        "first-brand-mif1": (partial(_branded, b"mif1"), AVIF),
        "profile": (partial(avif, icc_profile=profile()), AVIF),
        "xmp": (partial(avif, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"), AVIF),
        "profile-that-is-none": (partial(avif, icc_profile=b"none"), AVIF),
        "exif-that-is-none": (partial(_with_broken_exif), AVIF),
        "followed-by-zeros": (lambda: avif() + bytes(500), SeenOrRefused()),
    }  # fmt: skip
    turns = {f"exif-{value}": (partial(turned_file, "AVIF", value, speed=10), AVIF)
             for value in STORED}  # fmt: skip
    moving = {
        "of-3-frames": (partial(animated, "AVIF", duration=100, speed=10), _FIRST),
        "of-20-frames": (partial(animated, "AVIF", frames=20, duration=20, speed=10), _FIRST),
        "first-brand-avis": (partial(animated, "AVIF", frames=2, speed=10), _FIRST),
    }
    transparent = {
        f"{name}-ink-on-{other}": (
            partial(avif, inked(ink, beneath=beneath)),
            Seen(quarters=ANY_INK[ink], has_ink=True, tolerance=_TOLERANCE),
        )
        for name, ink in {"black": BLACK, "white": WHITE}.items()
        for other, beneath in {"black": BLACK, "white": WHITE}.items()
    }
    named = {"avif": kinds, "turned-avif": turns, "animated-avif": moving,
             "transparent-avif": transparent}  # fmt: skip
    return [file for name, rows in named.items() for file in family(name, "image/avif", rows)]


def _with_broken_exif() -> bytes:
    """Return an AVIF whose EXIF data was overwritten with another text."""
    data = avif(exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    return data.replace(b"II*\0\x08", b"XX*\0\xff")

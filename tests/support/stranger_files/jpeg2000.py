"""JPEG 2000: boxed and bare code streams, depths, alpha, tiles and progressions."""

from functools import partial

from PIL import Image

from support.stranger_files.drawing import file_of, inked, quarters
from support.stranger_files.expectations import (
    BLACK,
    GREYS,
    WHITE,
    Refused,
    Seen,
    SeenOrRefused,
    StrangerFile,
    family,
)
from support.stranger_files.png_kinds import ANY_INK

_LOSSY = Seen(tolerance=40)


def jp2(image: Image.Image | None = None, **options: object) -> bytes:
    return file_of("JPEG2000", image, **options)


def _deep_grey() -> Image.Image:
    greys = quarters(GREYS, mode="L").convert("I").point(lambda value: value * 257)
    return greys.convert("I;16")


def _deep_colours() -> bytes:
    """Return a header that says 16 bits a channel, behind the number of its components."""
    data = jp2()
    components = data.index(b"\xff\x4f\xff\x51") + 42
    return data[:components] + b"\x0f\1\1" * 3 + data[components + 9 :]


def files() -> list[StrangerFile]:
    kinds = {
        "plain": jp2,
        "code-stream": partial(jp2, no_jp2=True),
        "grey": (partial(jp2, quarters(GREYS, mode="L")), Seen(quarters=GREYS)),
        "grey-code-stream": (
            partial(jp2, quarters(GREYS, mode="L"), no_jp2=True),
            Seen(quarters=GREYS),
        ),
        "grey-16-bit": (partial(jp2, _deep_grey()), Seen(quarters=GREYS)),
        "rgb-16-bit": (_deep_colours, Refused(400, "invalid_image", "16 bits")),
        "grey-alpha": (partial(jp2, quarters(GREYS, mode="LA")), Seen(quarters=GREYS)),
        "opaque-alpha": partial(jp2, quarters(mode="RGBA")),
        "ycbcr": (partial(jp2, quarters(mode="YCbCr")), _LOSSY),
        "irreversible": (partial(jp2, irreversible=True), _LOSSY),
        "without-colour-transform": partial(jp2, mct=0),
        "tiles": partial(jp2, tile_size=(16, 16)),
        "one-resolution": partial(jp2, num_resolutions=1),
        "layers": (
            partial(jp2, quality_mode="rates", quality_layers=[80, 40, 2], irreversible=True),
            Seen(tolerance=90),
        ),
        **{
            f"progression-{order.lower()}": partial(jp2, progression=order)
            for order in ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL")
        },
        "comment": partial(jp2, comment="scanned"),
        "followed-by-zeros": (lambda: jp2() + bytes(500), SeenOrRefused()),
    }
    transparent = {
        f"{name}-ink-on-{other}": (
            partial(jp2, inked(ink, beneath=beneath)),
            Seen(quarters=ANY_INK[ink], has_ink=True),
        )
        for name, ink in {"black": BLACK, "white": WHITE}.items()
        for other, beneath in {"black": BLACK, "white": WHITE}.items()
    }
    return [
        *family("jpeg-2000", "image/jp2", kinds),
        *family("transparent-jpeg-2000", "image/jp2", transparent),
    ]

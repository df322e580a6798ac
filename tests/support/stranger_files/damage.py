"""Every format cut short, and with bytes that changed: seen, or refused by name."""

from collections.abc import Callable
from functools import partial
from random import Random

from support.stranger_files import heic, pdf, tiff
from support.stranger_files.avif import avif
from support.stranger_files.drawing import animated, file_of
from support.stranger_files.expectations import SeenOrRefused, StrangerFile, family
from support.stranger_files.gif import gif
from support.stranger_files.jpeg import jpeg
from support.stranger_files.jpeg2000 import jp2
from support.stranger_files.png_kinds import png
from support.stranger_files.webp import webp

_CUTS: dict[str, Callable[[int], int]] = {
    "cut-at-90-percent": lambda size: size * 9 // 10,
    "cut-in-half": lambda size: size // 2,
    "cut-behind-40-bytes": lambda size: min(40, size // 3),
    "cut-behind-12-bytes": lambda size: 12,
}
_FLIPS = 4
_SOUND: dict[str, tuple[str, Callable[[], bytes]]] = {
    "png": ("image/png", png),
    "interlaced-png": ("image/png", partial(png, interlaced=True)),
    "jpeg": ("image/jpeg", jpeg),
    "progressive-jpeg": ("image/jpeg", partial(jpeg, progressive=True)),
    "gif": ("image/gif", gif),
    "animated-gif": ("image/gif", partial(animated, "GIF", duration=50)),
    "webp": ("image/webp", webp),
    "lossless-webp": ("image/webp", partial(webp, lossless=True)),
    "avif": ("image/avif", avif),
    "bmp": ("image/bmp", partial(file_of, "BMP")),
    "tiff": ("image/tiff", tiff.of_pillow),
    "tiff-lzw": ("image/tiff", partial(tiff.of_pillow, compression="tiff_lzw")),
    "tiff-jpeg": ("image/tiff", partial(tiff.of_pillow, compression="jpeg")),
    "ico": ("image/vnd.microsoft.icon", partial(file_of, "ICO")),
    "jp2": ("image/jp2", jp2),
    "j2k": ("image/jp2", partial(jp2, no_jp2=True)),
    "pdf": ("application/pdf", pdf.files()[0].make),
}


def _cut(make: Callable[[], bytes], kept: Callable[[int], int]) -> bytes:
    data = make()
    return data[: kept(len(data))]


def _flipped(make: Callable[[], bytes], seed: int) -> bytes:
    """Return a file with up to eight bytes changed, the first of them in its head."""
    data, random = bytearray(make()), Random(seed)
    for nth in range(random.randint(1, 8)):
        at = random.randrange(min(len(data), 100) if nth == 0 else len(data))
        data[at] ^= random.randint(1, 255)
    return bytes(data)


def files() -> list[StrangerFile]:
    sound = dict(_SOUND)
    if heic.files():
        sound["heic"] = ("image/heic", heic.heic)
    return [
        file
        for name, (media_type, make) in sound.items()
        for file in family(
            f"damaged-{name}",
            media_type,
            {row: (partial(_cut, make, kept), SeenOrRefused()) for row, kept in _CUTS.items()}
            | {
                f"flipped-{seed}": (partial(_flipped, make, seed), SeenOrRefused())
                for seed in range(_FLIPS)
            },
        )
    ]

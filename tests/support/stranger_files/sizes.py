"""Every format at the smallest and the thinnest size, too thin, and as large as a photograph."""

from collections.abc import Callable, Iterator
from functools import partial

from support.stranger_files.drawing import file_of, quarters
from support.stranger_files.expectations import (
    ANYTHING,
    Expected,
    Refused,
    Seen,
    Size,
    StrangerFile,
    family,
)

_FORMATS: dict[str, tuple[str, str, dict[str, object]]] = {
    "png": ("PNG", "image/png", {"compress_level": 1}),
    "jpeg": ("JPEG", "image/jpeg", {}),
    "gif": ("GIF", "image/gif", {}),
    "webp": ("WEBP", "image/webp", {"method": 0}),
    "avif": ("AVIF", "image/avif", {"speed": 10}),
    "bmp": ("BMP", "image/bmp", {}),
    "tiff": ("TIFF", "image/tiff", {}),
    "jpeg-2000": ("JPEG2000", "image/jp2", {}),
}
_TOO_THIN = Refused(400, "invalid_image", "max_image_aspect = 200")
_PHOTOGRAPH: Size = (3000, 2000)
# Lossy codecs make one colour of so few pixels.
_TOLERANCE = 60


def _cases(form: str, options: dict[str, object]) -> Iterator[tuple[str, Callable[[], bytes],
                                                                    Expected]]:  # fmt: skip
    for size in ((1, 1), (1, 200), (200, 1), (2, 2), (201, 1), (1, 201), _PHOTOGRAPH):
        make = partial(_sized, form, size, options)
        if max(size) > 200 * min(size):
            yield f"{size[0]}x{size[1]}", make, _TOO_THIN
        elif size == _PHOTOGRAPH:
            yield "photograph", make, Seen(size=size, tolerance=_TOLERANCE)
        else:
            yield f"{size[0]}x{size[1]}", make, Seen(size=size, quarters=ANYTHING)


def _sized(form: str, size: Size, options: dict[str, object]) -> bytes:
    return file_of(form, quarters(size=size), **options)


def files() -> list[StrangerFile]:
    return [
        file
        for name, (form, media_type, options) in _FORMATS.items()
        for file in family(
            f"sizes-of-{name}",
            media_type,
            {row: (make, expected) for row, make, expected in _cases(form, options)},
        )
    ]

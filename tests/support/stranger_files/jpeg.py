"""JPEG: colour spaces, samplings, scans, and the segments that phones and programs add."""

import struct
from collections.abc import Callable
from functools import partial
from random import Random

from PIL import Image

from support.bombs.jpeg_files import segment, with_segments
from support.stranger_files.drawing import (
    STORED,
    animated,
    black_and_white,
    exif_of,
    file_of,
    quarters,
    turned,
    turned_file,
)
from support.stranger_files.expectations import (
    ANYTHING,
    GREYS,
    ONE_BLACK,
    Expected,
    Seen,
    SeenOrRefused,
    StrangerFile,
    family,
)
from support.stranger_files.png_chunks import profile

_APP0, _APP1, _APP2, _APP13, _APP14, _COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_EXIF, _XMP, _ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_ORIENTATION, _SHORT, _LONG = 0x0112, 3, 4
_MOST_IN_SEGMENT = 65_533
# Quantisation and chroma at half the size blur colours, most at the borders of quarters.
_TOLERANCE = 40
_MIB = 2**20
JPEG = Seen(tolerance=_TOLERANCE)


def jpeg(image: Image.Image | None = None, **options: object) -> bytes:
    return file_of("JPEG", image, **{"quality": 90, **options})


def _plain_segments() -> bytes:
    """Return a JPEG without its JFIF segment."""
    data = jpeg()
    length = struct.unpack(">H", data[4:6])[0]
    return data[:2] + data[4 + length :]


def _ycck() -> bytes:
    """Return a JPEG as Photoshop writes CMYK: inverted, and its first three channels as YCbCr."""
    cyan, magenta, yellow, key = quarters(mode="CMYK").split()
    inks = Image.merge("RGB", [cyan, magenta, yellow]).convert("YCbCr")
    # Pillow inverts what it writes.
    stored = [one.point(lambda value: 255 - value) for one in inks.split()]
    data = jpeg(Image.merge("CMYK", [*stored, key]), subsampling=0)
    at = data.index(b"\xff\xee") + 4
    transform = at + len(b"Adobe") + 6
    return data[:transform] + b"\2" + data[transform + 1 :]


def _without_adobe() -> bytes:
    data = jpeg(quarters(mode="CMYK"))
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def _with(marker: int, *contents: bytes) -> bytes:
    return with_segments(jpeg(), b"".join(segment(marker, content) for content in contents))


def _tagged(value: int, *, order: str = "<", kind: int = _SHORT) -> bytes:
    """Return the quarters turned, with EXIF data written by hand."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", _ORIENTATION, kind, 1, value, 0)
    tags = mark + struct.pack(f"{order}IH", 8, 1) + entry + bytes(4)
    return with_segments(jpeg(turned(value)), segment(_APP1, _EXIF + tags))


def _in_parts(*, missing: bool = False, swapped: bool = False) -> bytes:
    """Return a JPEG with an ICC profile of 200 KiB, in four segments."""
    content = profile() + Random(1).randbytes(200 * 2**10)
    size = -(-len(content) // 4)
    parts = [
        _ICC + bytes([number + 1, 4]) + content[number * size : (number + 1) * size]
        for number in range(4)
    ]
    if swapped:
        parts.reverse()
    return _with(_APP2, *parts[missing:])


def _film() -> bytes:
    """Return the head of a film, and noise for its pictures."""
    return b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + Random(2).randbytes(_MIB)


def _behind(make: Callable[[], bytes], more: Callable[[], bytes]) -> bytes:
    return make() + more()


_KINDS: dict[str, tuple[Callable[[], bytes], Expected]] = {
    "plain": (jpeg, JPEG),
    "of-lowest-quality": (partial(jpeg, quality=1), Seen(quarters=ANYTHING)),
    "of-highest-quality": (partial(jpeg, quality=100), JPEG),
    "optimized": (partial(jpeg, optimize=True), JPEG),
    "progressive": (partial(jpeg, progressive=True), JPEG),
    "progressive-grey": (
        partial(jpeg, quarters(GREYS, mode="L"), progressive=True),
        Seen(quarters=GREYS, tolerance=_TOLERANCE),
    ),
    "progressive-cmyk": (partial(jpeg, quarters(mode="CMYK"), progressive=True), JPEG),
    "grey": (partial(jpeg, quarters(GREYS, mode="L")), Seen(quarters=GREYS, tolerance=_TOLERANCE)),
    "black-and-white": (
        partial(jpeg, black_and_white().convert("L")),
        Seen(quarters=ONE_BLACK, tolerance=_TOLERANCE),
    ),
    "cmyk": (partial(jpeg, quarters(mode="CMYK")), JPEG),
    "ycck": (_ycck, JPEG),
    "cmyk-without-adobe": (_without_adobe, Seen(quarters=ANYTHING)),
    "rgb": (partial(jpeg, keep_rgb=True), JPEG),
    "ycbcr": (partial(jpeg, quarters(mode="YCbCr")), JPEG),
    **{
        f"sampled-{name.replace(':', '')}": (partial(jpeg, subsampling=name), JPEG)
        for name in ("4:4:4", "4:2:2", "4:2:0", "4:1:1")
    },
    "restarts-by-blocks": (partial(jpeg, restart_marker_blocks=1), JPEG),
    "restarts-by-rows": (partial(jpeg, restart_marker_rows=1), JPEG),
    "without-jfif": (_plain_segments, JPEG),
    "resolution": (partial(jpeg, dpi=(300, 300)), JPEG),
    "comment": (partial(jpeg, comment=b"\xff\xfe no text"), JPEG),
    "fill-bytes": (lambda: jpeg()[:2] + b"\xff" * 9 + jpeg()[2:], JPEG),
    "without-its-end": (lambda: jpeg()[:-2], SeenOrRefused()),
    "empty-segment": (partial(_with, _APP13, b""), JPEG),
}
_METADATA = {
    "giant-segments": partial(_with, _APP13, *[b"\xff" * _MOST_IN_SEGMENT] * 40),
    "many-comments": partial(_with, _COMMENT, *[b"x"] * 2000),
    "profile": partial(jpeg, icc_profile=profile()),
    "profile-in-parts": _in_parts,
    "profile-in-parts-out-of-order": partial(_in_parts, swapped=True),
    "profile-without-a-part": partial(_in_parts, missing=True),
    "profile-of-part-0": partial(_with, _APP2, _ICC + b"\0\0" + b"none"),
    "profile-that-is-none": partial(jpeg, icc_profile=b"none"),
    "empty-profile": partial(_with, _APP2, _ICC),
    "xmp": partial(_with, _APP1, _XMP + b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"),
    "xmp-that-is-no-xml": partial(_with, _APP1, _XMP + b"<<<\xff\0"),
    "photoshop": partial(_with, _APP13, b"Photoshop 3.0\x008BIM\x04\x04\0\0\xff\xff\xff\xff"),
    "empty-exif": partial(_with, _APP1, _EXIF),
    "exif-of-garbage": partial(jpeg, exif=_EXIF + b"II*\0\xff\xff\xff\xffgarbage"),
    "exif-of-zeros": partial(_with, _APP1, _EXIF + bytes(100)),
    "exif-of-a-loop": partial(
        _with, _APP1, _EXIF + b"II*\0\x08\0\0\0\0\0\x08\0\0\0"
    ),
    "exif-of-a-giant-tag": partial(
        _with, _APP1, _EXIF + b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x010E, 2, 2**31, 26)
    ),
    "exif-twice": lambda: with_segments(
        jpeg(), 2 * segment(_APP1, _EXIF + exif_of(1).tobytes().removeprefix(_EXIF))
    ),
    "exif-of-orientation-0": partial(jpeg, exif=exif_of(0)),
    "exif-of-orientation-9": partial(jpeg, exif=exif_of(9)),
    "exif-of-orientation-65535": partial(jpeg, exif=exif_of(65535)),
    "jfif-thumbnail": partial(
        _with, _APP0, b"JFIF\0\1\2\0\0\1\0\1\x02\x02" + bytes(12)
    ),
    "jfif-of-zero-resolution": partial(jpeg, dpi=(0, 0)),
    "short-adobe": partial(_with, _APP14, b"Adobe"),
}  # fmt: skip
_FOLLOWED = {
    "a-film": partial(_behind, jpeg, _film),
    "zeros": partial(_behind, jpeg, partial(bytes, 5000)),
    "a-jpeg": partial(_behind, jpeg, jpeg),
    "a-zip": partial(_behind, jpeg, lambda: b"PK\3\4" + bytes(500)),
    "text": partial(_behind, jpeg, lambda: b"\r\n<!-- sent by a proxy -->"),
}


def files() -> list[StrangerFile]:
    turns: dict[str, Callable[[], bytes]] = {
        f"exif-{value}": partial(turned_file, "JPEG", value, quality=90) for value in STORED
    }
    turns |= {f"exif-big-endian-{value}": partial(_tagged, value, order=">") for value in (5, 6)}
    turns |= {"exif-of-a-long": partial(_tagged, 8, kind=_LONG)}
    return [
        *family("jpeg", "image/jpeg", {**_KINDS}),
        *family(
            "jpeg-with-metadata",
            "image/jpeg",
            {name: (make, JPEG) for name, make in _METADATA.items()}
            | {f"followed-by-{name}": (make, JPEG) for name, make in _FOLLOWED.items()},
        ),
        *family("turned-jpeg", "image/jpeg", {name: (make, JPEG) for name, make in turns.items()}),
        *family(
            "multi-picture-jpeg",
            "image/jpeg",
            {
                "of-a-phone": (
                    partial(animated, "MPO", quality=90),
                    Seen(tolerance=_TOLERANCE, what="the first picture"),
                ),
                "with-one-picture": (partial(animated, "MPO", frames=1, quality=90), JPEG),
                "cut-in-the-second": (
                    lambda: animated("MPO", quality=90)[:-200],
                    JPEG,
                ),
            },
        ),
    ]

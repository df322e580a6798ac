"""GIF: versions, palettes, transparency, and animations of which the first frame is shown."""

import struct
from collections.abc import Callable
from functools import partial

from PIL import Image

from support.stranger_files.drawing import animated, black_and_white, file_of, inked, quarters
from support.stranger_files.expectations import (
    ANYTHING,
    BLACK,
    GREYS,
    ONE_BLACK,
    WHITE,
    Colour,
    Expected,
    Refused,
    Seen,
    SeenOrRefused,
    StrangerFile,
    family,
)
from support.stranger_files.png_kinds import ANY_INK

_FIRST = Seen(what="the first frame")


def gif(image: Image.Image | None = None, **options: object) -> bytes:
    return file_of("GIF", image, **options)


def _with_extension(extension: bytes) -> bytes:
    """Return a GIF with an extension before its frame."""
    data = gif()
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    return data[:at] + extension + data[at:]


def _blocks(content: bytes) -> bytes:
    pieces = [content[at : at + 255] for at in range(0, len(content), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def _version(version: bytes) -> bytes:
    return version + gif()[6:]


def _local_palette() -> bytes:
    """Return a GIF whose colours stand with its frame, and none with its screen."""
    data = gif(comment=b"")
    size = data[10] & 7
    colours = data[13 : 13 + 3 * 2 ** (size + 1)]
    rest = data[13 + len(colours) :]
    frame = rest.index(b"\x2c")
    flags = frame + 9
    with_colours = rest[:flags] + bytes([rest[flags] | 0x80 | size]) + colours + rest[flags + 1 :]
    return data[:10] + bytes([data[10] & 0x78]) + data[11:13] + with_colours


def _small_frame_on(screen: tuple[int, int]) -> bytes:
    """Return the quarters as a frame of a larger screen."""
    data = gif()
    return data[:6] + struct.pack("<HH", *screen) + data[10:]


def inked_gif(ink: Colour, beneath: Colour) -> bytes:
    mask = inked(ink).getchannel("A").point(lambda value: value // 255)
    indexed = mask.convert("P")
    indexed.putpalette([*beneath, *ink])
    return file_of("GIF", indexed, transparency=0, optimize=False)


_KINDS: dict[str, Callable[[], bytes] | tuple[Callable[[], bytes], Expected]] = {
    "plain": gif,
    "87a": partial(_version, b"GIF87a"),
    "89a": partial(_version, b"GIF89a"),
    "grey": (partial(gif, quarters(GREYS, mode="L")), Seen(quarters=GREYS)),
    "of-two-colours": (partial(gif, black_and_white()), Seen(quarters=ONE_BLACK)),
    "interlaced": partial(gif, interlace=True),
    "not-interlaced": partial(gif, interlace=False),
    "comment": partial(gif, comment=b"made with \xff"),
    "long-comment": partial(_with_extension, b"\x21\xfe" + _blocks(b"x" * 300_000)),
    "empty-comment": partial(_with_extension, b"\x21\xfe\0"),
    "xmp": partial(_with_extension, b"\x21\xff\x0bXMP DataXMP" + _blocks(b"<x/>")),
    "unknown-extension": partial(_with_extension, b"\x21\x77" + _blocks(b"?")),
    "plain-text-extension": partial(_with_extension, b"\x21\x01\x0c" + bytes(12) + _blocks(b"hi")),
    "local-palette": _local_palette,
    "frame-smaller-than-its-screen": (
        partial(_small_frame_on, (96, 64)),
        Seen(size=(96, 64), quarters=ANYTHING),
    ),
    "followed-by-zeros": lambda: gif() + bytes(500),
    "without-its-end": (lambda: gif()[:-1], SeenOrRefused()),
    "screen-without-a-size": partial(_small_frame_on, (0, 0)),
    "comments-without-end": (
        partial(_with_extension, b"\x21\xfe\1x\0" * 200_000),
        Refused(400, "invalid_image", "blocks"),
    ),
}


def files() -> list[StrangerFile]:
    disposals = {
        f"disposal-{value}": (partial(animated, "GIF", disposal=value, duration=50), _FIRST)
        for value in range(4)
    }
    return [
        *family("gif", "image/gif", {**_KINDS}),
        *family(
            "animated-gif",
            "image/gif",
            {
                "plain": (partial(animated, "GIF", duration=100), _FIRST),
                "looped": (partial(animated, "GIF", loop=0, duration=100), _FIRST),
                "without-a-delay": (partial(animated, "GIF", duration=0), _FIRST),
                "of-200-frames": (partial(animated, "GIF", frames=200, duration=20), _FIRST),
                "cut-in-a-later-frame": (
                    lambda: animated("GIF", frames=9, duration=20)[:-60],
                    _FIRST,
                ),
                **disposals,
            },
        ),
        *family(
            "transparent-gif",
            "image/gif",
            {
                f"{name}-ink-on-{other}": (
                    partial(inked_gif, ink, beneath),
                    Seen(quarters=ANY_INK[ink], has_ink=True),
                )
                for name, ink in {"black": BLACK, "white": WHITE}.items()
                for other, beneath in {"black": BLACK, "white": WHITE, "red": (255, 0, 0)}.items()
            },
        ),
    ]

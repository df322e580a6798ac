"""PNG: every colour type, depth and way to store rows, transparent samples, palettes."""

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate, product

from support.bombs.png_files import PASSES, chunk, header
from support.stranger_files.drawing import animated, file_of, inked, quarters
from support.stranger_files.expectations import (
    BLACK,
    COLOURS,
    GREYS,
    ONE_BLACK,
    SIZE,
    WHITE,
    Quarters,
    Refused,
    Seen,
    StrangerFile,
    family,
)

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_KINDS = {
    **{("grey", depth): GREY for depth in (1, 2, 4, 8, 16)},
    **{("rgb", depth): RGB for depth in (8, 16)},
    **{("palette", depth): PALETTE for depth in (1, 2, 4, 8)},
    **{("grey-alpha", depth): GREY_ALPHA for depth in (8, 16)},
    **{("rgba", depth): RGBA for depth in (8, 16)},
}
_Sample = Sequence[int]


def colours_of(color: int, depth: int) -> Quarters:
    """Return what the quarters of such a PNG look like."""
    if color == PALETTE:
        return (COLOURS[0], COLOURS[1], COLOURS[1], COLOURS[1]) if depth == 1 else COLOURS
    if color in {GREY, GREY_ALPHA}:
        return ONE_BLACK if depth == 1 else GREYS
    return COLOURS


def _samples(color: int, depth: int) -> list[_Sample]:
    """Return the samples of the four quarters."""
    most = 2**depth - 1
    if color == PALETTE:
        return [(index,) for index in ((0, 1, 1, 1) if depth == 1 else (0, 1, 2, 3))]
    alpha = (most,) if color in {GREY_ALPHA, RGBA} else ()
    colours = (colour or BLACK for colour in colours_of(color, depth))
    channels = 1 if color in {GREY, GREY_ALPHA} else 3
    return [(*(value * most // 255 for value in colour[:channels]), *alpha) for colour in colours]


def _packed(samples: Iterable[_Sample], depth: int) -> bytes:
    """Return a row of pixels as PNG has it: each begins with the byte of its filter, none."""
    values = [value for sample in samples for value in sample]
    if depth == 16:
        return b"\0" + struct.pack(f">{len(values)}H", *values)
    bits = "".join(f"{value:0{depth}b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    return b"\0" + bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def _up(rows: Sequence[bytes]) -> list[bytes]:
    """Return rows with filter 2: each is its difference from the one above."""
    above = [bytes(len(rows[0])), *rows]
    return [
        b"\2" + bytes((one - other) % 256 for one, other in zip(row[1:], last[1:], strict=True))
        for row, last in zip(rows, above, strict=False)
    ]


def pixels(color: int, depth: int, *, interlaced: bool = False, filtered: bool = False) -> bytes:
    """Return the compressed rows of the four quarters."""
    of_quarters = _samples(color, depth)
    (width, height), data = SIZE, bytearray()
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        rows = [
            _packed(
                (of_quarters[2 * (2 * y // height) + 2 * x // width] for x in
                 range(left, width, across)), depth
            )
            for y in range(top, height, down)
        ]  # fmt: skip
        data += b"".join(_up(rows) if filtered else rows)
    return zlib.compress(bytes(data))


def palette(count: int = 4) -> bytes:
    entries = [*COLOURS, *[(index, index, index) for index in range(252)]]
    return chunk(b"PLTE", b"".join(map(bytes, entries[:count])))


def png(
    color: int = RGB,
    depth: int = 8,
    *,
    interlaced: bool = False,
    filtered: bool = False,
    entries: int | None = None,
    before: bytes = b"",
    transparency: bytes = b"",
    behind: bytes = b"",
    pieces: int = 1,
) -> bytes:
    """Return the quarters as a PNG, with chunks `before` its palette and `behind` its pixels.

    The pixels come in so many `pieces`; a palette has so many `entries`.
    """
    colours = palette(entries or min(4, 2**depth)) if color == PALETTE or entries else b""
    data = pixels(color, depth, interlaced=interlaced, filtered=filtered)
    size = -(-len(data) // pieces)
    parts = b"".join(chunk(b"IDAT", data[at : at + size]) for at in range(0, len(data), size))
    head = header(*SIZE, depth=depth, color=color, interlaced=interlaced)
    return head + before + colours + transparency + parts + behind + chunk(b"IEND")


def _transparent(color: int, depth: int) -> bytes:
    """Return the quarters, of which the first is transparent by a tRNS chunk."""
    if color == PALETTE:
        return png(color, depth, transparency=chunk(b"tRNS", b"\0"))
    samples = _samples(color, depth)[0]
    alpha = struct.pack(f">{len(samples)}H", *samples)
    return png(color, depth, transparency=chunk(b"tRNS", alpha))


def _stored_kinds() -> dict[str, tuple[Callable[[], bytes], Seen]]:
    rows = {}
    for ((name, depth), color), interlaced in product(_KINDS.items(), (False, True)):
        suffix = "-interlaced" if interlaced else ""
        rows[f"{name}-{depth}{suffix}"] = (
            partial(png, color, depth, interlaced=interlaced),
            Seen(quarters=colours_of(color, depth)),
        )
    return rows


def _transparent_kinds() -> dict[str, tuple[Callable[[], bytes], Seen]]:
    # What lies beneath a transparent quarter is white or black, as the picture needs.
    return {
        f"transparent-{name}-{depth}": (
            partial(_transparent, color, depth),
            Seen(quarters=(None, *colours_of(color, depth)[1:])),
        )
        for (name, depth), color in _KINDS.items()
        if color in {GREY, RGB, PALETTE}
    }


def _apng(*, is_shown: bool) -> bytes:
    """Return an APNG whose default image is its first frame, or only for who cannot play it."""
    (width, height), data = SIZE, pixels(RGB, 8)
    black = zlib.compress(bytes(height * (1 + 3 * width)))
    numbers = accumulate([0] + [1] * 9)

    def frame() -> bytes:
        fields = (next(numbers), width, height, 0, 0, 1, 10, 0, 0)
        return chunk(b"fcTL", struct.pack(">5I2H2B", *fields))

    parts = [frame() if is_shown else b"", chunk(b"IDAT", data)]
    for _ in range(2):
        parts += [frame(), chunk(b"fdAT", struct.pack(">I", next(numbers)) + black)]
    play = chunk(b"acTL", struct.pack(">II", 3 if is_shown else 2, 0))
    return header(*SIZE, color=RGB) + play + b"".join(parts) + chunk(b"IEND")


def files() -> list[StrangerFile]:
    ink = {"black": BLACK, "white": WHITE}
    kinds = family(
        "png",
        "image/png",
        {
            "plain": png,
            **_stored_kinds(),
            **_transparent_kinds(),
            **{
                f"palette-of-{count}": partial(png, PALETTE, 8, entries=count)
                for count in (4, 5, 16, 17, 255, 256)
            },
            "filtered": partial(png, filtered=True),
            "filtered-interlaced": partial(png, filtered=True, interlaced=True),
            "suggested-palette": partial(png, entries=7),
            "pixels-in-pieces-of-a-byte": partial(png, pieces=200),
            "chunks-without-end": (
                partial(png, before=chunk(b"aaAa") * 150_000),
                Refused(400, "invalid_image", "chunks"),
            ),
            "la-of-pillow": (
                partial(file_of, "PNG", quarters(GREYS, mode="LA")),
                Seen(quarters=GREYS),
            ),
        },
    )
    transparent = family(
        "transparent-png",
        "image/png",
        {
            f"{name}-ink-on-{other}-{mode.lower()}": (
                partial(_inked, mode, colour, beneath),
                Seen(quarters=ANY_INK[colour], has_ink=True),
            )
            for (name, colour), (other, beneath), mode in product(
                ink.items(), ink.items(), ("RGBA", "LA", "PA")
            )
        },
    )
    moving = family(
        "animated-png",
        "image/png",
        {
            "default-image-is-the-first-frame": (
                partial(_apng, is_shown=True),
                Seen(what="the first frame"),
            ),
            "default-image-is-no-frame": partial(_apng, is_shown=False),
            "of-pillow": partial(animated, "PNG"),
            "of-pillow-with-a-default-image": partial(animated, "PNG", default_image=True),
        },
    )
    return kinds + transparent + moving


ANY_INK: dict[tuple[int, ...], Quarters] = {
    BLACK: (BLACK, WHITE, BLACK, WHITE),
    WHITE: (WHITE, BLACK, WHITE, BLACK),
}


def _inked(mode: str, ink: tuple[int, int, int], beneath: tuple[int, int, int]) -> bytes:
    if mode != "PA":
        return file_of("PNG", inked(ink, beneath=beneath).convert(mode))
    image = inked(ink, beneath=beneath).getchannel("A").point(lambda value: value // 255)
    indexed = image.convert("P")
    indexed.putpalette([*beneath, *ink])
    return file_of("PNG", indexed, transparency=0)

"""BMP: every depth, run lengths, bit masks, and the headers of thirty years; ICO beside it."""

import struct
from collections.abc import Callable, Sequence
from functools import partial

from support.stranger_files.drawing import file_of, inked, quarters
from support.stranger_files.expectations import (
    BLACK,
    COLOURS,
    ONE_BLACK,
    SIZE,
    WHITE,
    Colour,
    Expected,
    Quarters,
    Refused,
    Seen,
    StrangerFile,
    family,
)
from support.stranger_files.png_kinds import ANY_INK

_RGB, _RLE8, _RLE4, _MASKS = 0, 1, 2, 3
_CORE, _INFO, _V2, _V3, _V4, _V5, _OS2 = 12, 40, 52, 56, 108, 124, 64
_TWO: Quarters = ONE_BLACK
# Colours lose their lowest bits.
_ROUNDED = Seen(tolerance=10)


def _rows(cells: Sequence[bytes], *, bits: int, top_down: bool) -> bytes:
    """Return the rows of the four quarters, each `cells` being the bits of a pixel of one."""
    width, height = SIZE
    rows = []
    for y in range(height):
        left, right = cells[2 * (2 * y // height) : 2 * (2 * y // height) + 2]
        if bits >= 8:
            row = left * (width // 2) + right * (width // 2)
        else:
            text = "".join(f"{cell[0]:0{bits}b}" * (width // 2) for cell in (left, right))
            row = int(text, 2).to_bytes(len(text) // 8)
        rows.append(row + bytes(-len(row) % 4))
    return b"".join(rows if top_down else reversed(rows))


def _run_lengths(*, bits: int) -> bytes:
    """Return the rows as runs, of which each is half a row."""
    rows = []
    for y in range(SIZE[1]):
        first = 2 * (2 * y // SIZE[1])
        values = [index * 0x11 if bits == 4 else index for index in (first, first + 1)]
        rows.append(b"".join(bytes([SIZE[0] // 2, value]) for value in values) + b"\0\0")
    return b"".join(reversed(rows)) + b"\0\1"


def bmp(
    bits: int,
    pixels: bytes,
    *,
    colours: Sequence[Colour | None] = (),
    compression: int = _RGB,
    masks: Sequence[int] = (),
    head: int = _INFO,
    top_down: bool = False,
) -> bytes:
    """Return a BMP of a header of `head` bytes, which says which version it is."""
    width, height = SIZE
    signed = -height if top_down else height
    if head == _CORE:
        info = struct.pack("<IHHHH", _CORE, width, height, 1, bits)
        table = b"".join(bytes((colour or BLACK)[::-1]) for colour in colours)
    else:
        fields = (head, width, signed, 1, bits, compression, len(pixels), 2835, 2835)
        info = struct.pack("<IiiHHIIiiII", *fields, len(colours), 0)
        more = b"".join(struct.pack("<I", mask) for mask in masks)
        info = info + more if head == _INFO else (info + more).ljust(head, b"\0")
        table = b"".join(bytes((colour or BLACK)[::-1]) + b"\0" for colour in colours)
    start = 14 + len(info) + len(table)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + table + pixels


def _indexed(bits: int, **options: object) -> bytes:
    colours = (BLACK, WHITE) if bits == 1 else COLOURS
    cells = [bytes([index]) for index in ((0, 1, 1, 1) if bits == 1 else range(4))]
    pixels = _rows(cells, bits=bits, top_down=bool(options.get("top_down")))
    return bmp(bits, pixels, colours=colours, **options)


def _black_and_white(bits: int) -> bytes:
    pixels = _rows([b"\0", b"\1", b"\1", b"\1"], bits=bits, top_down=False)
    return bmp(bits, pixels, colours=(BLACK, WHITE))


def _masked(bits: int, masks: Sequence[int], **options: object) -> bytes:
    """Return a BMP whose pixels have red, green, blue, and maybe alpha, at these masks."""
    cells = []
    for colour in COLOURS:
        value = 0
        for mask, channel in zip(masks, (*(colour or BLACK), 255), strict=False):
            lowest = mask & -mask
            value |= channel * (mask // lowest) // 255 * lowest
        cells.append(value.to_bytes(bits // 8, "little"))
    options.setdefault("compression", _MASKS)
    given = masks if options["compression"] == _MASKS else ()
    return bmp(bits, _rows(cells, bits=bits, top_down=False), masks=given, **options)


def _true(bits: int, *, last: bytes = b"\0", **options: object) -> bytes:
    cells = [bytes((colour or BLACK)[::-1]) + (last if bits == 32 else b"") for colour in COLOURS]
    pixels = _rows(cells, bits=bits, top_down=bool(options.get("top_down")))
    return bmp(bits, pixels, **options)


_555, _565 = (0x7C00, 0x03E0, 0x001F), (0xF800, 0x07E0, 0x001F)
_888, _8888 = (0xFF0000, 0xFF00, 0xFF), (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
_ROWS: dict[str, Callable[[], bytes] | tuple[Callable[[], bytes], Expected]] = {
    "plain": partial(file_of, "BMP"),
    "of-1-bit": (partial(_indexed, 1), Seen(quarters=_TWO)),
    "of-4-bits": partial(_indexed, 4),
    "of-8-bits": partial(_indexed, 8),
    "of-16-bits": (partial(_masked, 16, _555, compression=_RGB), _ROUNDED),
    "of-16-bits-masked-555": (partial(_masked, 16, _555), _ROUNDED),
    "of-16-bits-masked-565": (partial(_masked, 16, _565), _ROUNDED),
    "of-24-bits": partial(_true, 24),
    "of-32-bits": partial(_true, 32),
    "of-32-bits-with-a-last-byte": partial(_true, 32, last=b"\xff"),
    "of-32-bits-masked": partial(_masked, 32, _888),
    "runs-of-8-bits": lambda: bmp(8, _run_lengths(bits=8), colours=COLOURS, compression=_RLE8),
    "runs-of-4-bits": lambda: bmp(4, _run_lengths(bits=4), colours=COLOURS, compression=_RLE4),
    "top-down": partial(_true, 24, top_down=True),
    "top-down-of-8-bits": partial(_indexed, 8, top_down=True),
    "of-os2": partial(_true, 24, head=_CORE),
    "of-os2-of-8-bits": lambda: bmp(
        8, _rows([bytes([index]) for index in range(4)], bits=8, top_down=False),
        colours=[*COLOURS, *[BLACK] * 252], head=_CORE,
    ),
    "of-os2-version-2": partial(_true, 24, head=_OS2),
    "header-of-version-2": partial(_masked, 32, _888, head=_V2),
    "header-of-version-3": partial(_masked, 32, _8888, head=_V3),
    "header-of-version-4": partial(_masked, 32, _8888, head=_V4),
    "header-of-version-5": partial(_masked, 32, _8888, head=_V5),
    "header-of-version-5-without-alpha": partial(_true, 24, head=_V5),
    "header-of-version-4-without-alpha": partial(
        _true, 32, masks=_8888, compression=_MASKS, head=_V4
    ),
    "black-and-white-of-8-bits": (partial(_black_and_white, 8), Seen(quarters=_TWO)),
    "black-and-white-of-4-bits": (partial(_black_and_white, 4), Seen(quarters=_TWO)),
    "masks-of-10-bits": (
        partial(_masked, 32, (0x3FF00000, 0xFFC00, 0x3FF)),
        Refused(400, "invalid_image", "a kind of BMP that is not read"),
    ),
    "without-a-length": lambda: file_of("BMP")[:2] + bytes(4) + file_of("BMP")[6:],
    "followed-by-zeros": lambda: file_of("BMP") + bytes(500),
}  # fmt: skip


def _ico(image_size: int, **options: object) -> bytes:
    return file_of("ICO", quarters(size=(image_size, image_size)), **options)


def _ico_of(png: bytes) -> bytes:
    """Return an icon of one picture, whose entry has no room for more than 256 pixels a side."""
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(png), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + png


def _opaque_by_its_mask() -> bytes:
    """Return an icon whose pixels say that they are transparent, and whose mask that none is."""
    width, height = SIZE
    info = struct.pack("<IiiHHIIiiII", _INFO, width, 2 * height, 1, 32, 0, 0, 0, 0, 0, 0)
    cells = [bytes((colour or BLACK)[::-1]) + b"\0" for colour in COLOURS]
    bitmap = info + _rows(cells, bits=32, top_down=False) + bytes(8 * height)
    entry = struct.pack("<BBBBHHII", width, height, 0, 0, 1, 32, len(bitmap), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + bitmap


def _with_an_entry_outside() -> bytes:
    """Return an icon whose smallest image would be behind the end of its file."""
    data = _ico(32, sizes=[(32, 32), (16, 16)])
    small = 6 if data[6] == 16 else 22
    return data[: small + 12] + struct.pack("<I", 10**9) + data[small + 16 :]


def _icons() -> dict[str, tuple[Callable[[], bytes], Expected]]:
    rows: dict[str, tuple[Callable[[], bytes], Expected]] = {
        f"of-{side}-as-{form}": (
            partial(_ico, side, sizes=[(side, side)], bitmap_format=form),
            Seen(size=(side, side)),
        )
        for side in (16, 32, 48, 256)
        for form in ("bmp", "png")
    }
    sizes = [(side, side) for side in (16, 32, 48, 64)]
    rows["larger-than-its-entry-says"] = (
        lambda: _ico_of(file_of("PNG", quarters(size=(512, 512)))),
        Seen(size=(512, 512)),
    )
    rows["opaque-by-its-mask"] = (_opaque_by_its_mask, Seen())
    rows["with-an-entry-outside"] = (_with_an_entry_outside, Seen(size=(32, 32)))
    rows["of-many-sizes"] = (
        partial(_ico, 64, sizes=sizes),
        Seen(size=(64, 64), what="the largest picture"),
    )
    rows["of-many-sizes-as-bmp"] = (
        partial(_ico, 64, sizes=sizes, bitmap_format="bmp"),
        Seen(size=(64, 64)),
    )
    return rows


def files() -> list[StrangerFile]:
    transparent = {
        f"{name}-ink-as-{form}": (
            partial(file_of, "ICO", inked(ink).resize((32, 32)), bitmap_format=form),
            Seen(size=(32, 32), quarters=ANY_INK[ink], has_ink=True),
        )
        for name, ink in {"black": BLACK, "white": WHITE}.items()
        for form in ("png", "bmp")
    }
    return [
        *family("bmp", "image/bmp", {**_ROWS}),
        *family("ico", "image/vnd.microsoft.icon", {**_icons()}),
        *family("transparent-ico", "image/vnd.microsoft.icon", {**transparent}),
    ]

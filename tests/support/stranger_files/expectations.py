"""What becomes of a stranger's file, and how what the engine was shown is judged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from PIL import Image

Colour = tuple[int, int, int]
Size = tuple[int, int]
# Of the four quarters of a picture, row by row; None: it does not matter.
Quarters = tuple[Colour | None, Colour | None, Colour | None, Colour | None]

RED, GREEN, BLUE, BLACK, WHITE = (230, 20, 20), (20, 160, 40), (30, 60, 220), (0,) * 3, (255,) * 3
YELLOW = (240, 220, 30)
SIZE: Size = (48, 32)
COLOURS: Quarters = (RED, GREEN, BLUE, YELLOW)
GREYS: Quarters = ((0,) * 3, (85,) * 3, (170,) * 3, WHITE)
# Which quarter is the odd one, and which side is longer, tells all eight orientations.
ONE_BLACK: Quarters = (BLACK, WHITE, WHITE, WHITE)
ANYTHING: Quarters = (None, None, None, None)
# Ink stands out from its ground by so much of 255.
_LEAST_CONTRAST = 100
# Of damage, of limits that a damaged header is over, and of a format that is known no more.
NAMED_REFUSALS = {
    (400, "invalid_image"),
    (413, "too_large"),
    (415, "unsupported_media_type"),
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The engine is shown the picture.

    `quarters` are the colours at the middles of its quarters, each within `tolerance`; `size` its
    width and height in pixels; `pictures` how many it is shown, of which the first is judged.
    `has_ink`: the left half stands out from the right one. `what` says it in the table.
    """

    quarters: Quarters = COLOURS
    size: Size | None = SIZE
    tolerance: int = 12
    pictures: int = 1
    has_ink: bool = False
    what: str = "the picture"

    def faults(self, shown: Sequence[Image.Image]) -> Iterator[str]:
        """Yield what is wrong with what the engine was shown."""
        if len(shown) != self.pictures:
            yield f"{len(shown)} pictures were shown"
            return
        first = shown[0].convert("RGB")
        if self.size is not None and first.size != self.size:
            yield f"its size was {first.size}"
        found = _quarters(first)
        for colour, wanted in zip(found, self.quarters, strict=True):
            if wanted is not None and _distance(colour, wanted) > self.tolerance:
                yield f"its quarters were {found}"
                break
        left, right = (sum(found[at]) / 3 for at in (0, 1))
        if self.has_ink and abs(left - right) < _LEAST_CONTRAST:
            yield f"its ink was {found[0]} on {found[1]}"


@dataclass(frozen=True)
class Refused:
    """The client is told: a status, a code, and words of the message."""

    status: int
    code: str
    says: str

    @property
    def what(self) -> str:
        return f"{self.status} `{self.code}`"


@dataclass(frozen=True)
class SeenOrRefused:
    """A damaged file: one of `NAMED_REFUSALS`, or whatever could be decoded is shown."""

    what = "what can be decoded, or an error"


Expected = Seen | Refused | SeenOrRefused


@dataclass(frozen=True)
class StrangerFile:
    """A file as strangers send it: made when it is called for, deterministic, by nobody else."""

    name: str
    make: Callable[[], bytes] = field(repr=False)
    expected: Expected = Seen()
    media_type: str = "application/octet-stream"

    @property
    def family(self) -> str:
        return self.name.partition("/")[0]


def family(
    name: str,
    media_type: str,
    rows: dict[str, Callable[[], bytes] | tuple[Callable[[], bytes], Expected]],
) -> list[StrangerFile]:
    """Return the files of a family; a row without an expectation is seen as it was drawn."""
    files = []
    for row, value in rows.items():
        make, expected = value if isinstance(value, tuple) else (value, Seen())
        files.append(StrangerFile(f"{name}/{row}", make, expected, media_type))
    return files


def _quarters(image: Image.Image) -> tuple[Colour, ...]:
    width, height = image.size
    points = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    return tuple(image.getpixel(point) for point in points)


def _distance(one: Colour, other: Colour) -> int:
    return max(abs(first - second) for first, second in zip(one, other, strict=True))

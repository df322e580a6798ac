"""Draws texts on a screen and notes them: what stands there is known to the word."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

_DEJAVU = {
    "mono": ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"),
    "sans": ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    "serif": ("DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf"),
}
_PACKAGED = {
    "Roboto": ("font_roboto", "Roboto-Regular.ttf", "Roboto-Bold.ttf"),
    "Source Sans": (
        "font_source_sans_pro",
        "SourceSansPro-Regular.ttf",
        "SourceSansPro-Bold.ttf",
    ),
    "Hanken": ("font_hanken_grotesk", "HankenGrotesk-Regular.otf", "HankenGrotesk-Bold.otf"),
    "Source Serif": (
        "font_source_serif_pro",
        "SourceSerifPro-Regular.ttf",
        "SourceSerifPro-Bold.ttf",
    ),
    "Caladea": ("font_caladea", "Caladea-Regular.ttf", "Caladea-Bold.ttf"),
}
SANS = ("sans", "Roboto", "Source Sans", "Hanken")
SERIF = ("serif", "Source Serif", "Caladea")

# Letters are drawn so much larger and reduced: at their own size Pillow puts each on a whole pixel,
# which shifts letters and spaces as no browser does.
_LARGER = 4

# A text's colour, by its piece: a line of code has several.
Runs = Sequence[tuple[str, str]]


@cache
def font(name: str, size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return a font by the name that this module knows it under, of `size` pixels."""
    if name in _DEJAVU:
        return ImageFont.truetype(
            Path(mpl.get_data_path(), "fonts", "ttf", _DEJAVU[name][bold]), size
        )
    package, regular, heavy = _PACKAGED[name]
    return ImageFont.truetype(
        Path(str(files(package))) / "files" / (heavy if bold else regular), size
    )


@dataclass(frozen=True)
class Screen:
    """A picture and its blocks of text; the lines of a block are read one after another."""

    name: str
    kind: str
    image: Image.Image
    blocks: tuple[tuple[str, ...], ...]


@dataclass
class Pen:
    """Draws on one screen. Sizes and places are in points: `scale` pixels each."""

    width: int
    height: int
    paper: str
    scale: float = 1
    image: Image.Image = field(init=False)
    draw: ImageDraw.ImageDraw = field(init=False)
    blocks: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = (round(self.width * self.scale), round(self.height * self.scale))
        self.image = Image.new("RGB", size, self.paper)
        self.draw = ImageDraw.Draw(self.image)

    def block(self) -> None:
        """Begin another block: what stands in it is read without what stands beside it."""
        self.blocks.append([])

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: str | None,
        *,
        outline: str | None = None,
        radius: float = 0,
    ) -> None:
        """Draw a rectangle, filled or not."""
        edges = [edge * self.scale for edge in (left, top, right, bottom)]
        self.draw.rounded_rectangle(edges, radius * self.scale, fill, outline)

    def line(self, left: float, top: float, right: float, bottom: float, ink: str) -> None:
        """Draw a rule, one pixel wide."""
        self.draw.line([edge * self.scale for edge in (left, top, right, bottom)], ink)

    def span(self, text: str, name: str, size: float, *, bold: bool = False) -> float:
        """Return how wide a text is."""
        return self._font(name, size, bold=bold).getlength(text) / (_LARGER * self.scale)

    def _font(self, name: str, size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
        return font(name, _LARGER * size * self.scale, bold=bold)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        ink: str,
        *,
        name: str,
        size: float,
        bold: bool = False,
        right: float | None = None,
        new_line: bool = True,
    ) -> float:
        """Draw the words of a text that fit before `right`, from its upper left corner on.

        Returns where the text ends. Without `new_line` it goes on in the line before.
        """
        limit = (self.width - 6 if right is None else right) - x
        while text and self.span(text, name, size, bold=bold) > limit:
            text = text.rpartition(" ")[0]
        if not text.strip():
            return x
        self._put(x, y, text, ink, self._font(name, size, bold=bold))
        self._note(text, new_line=new_line)
        return x + self.span(text, name, size, bold=bold)

    def code(self, x: float, y: float, runs: Runs, *, size: float, right: float) -> None:
        """Draw a line in several colours and in letters of one width; what does not fit is cut."""
        face = self._font("mono", size)
        advance = face.getlength("m") / (_LARGER * self.scale)
        line = ""
        for text, ink in runs:
            kept = text[: max(0, int((right - x) / advance) - len(line))]
            if kept.strip():
                self._put(x + advance * len(line), y, kept, ink, face)
            line += kept
        if line.strip():
            self._note(line.rstrip(), new_line=True)

    def _put(self, x: float, y: float, text: str, ink: str, face: ImageFont.FreeTypeFont) -> None:
        x, y = x * self.scale, y * self.scale
        before, above = math.floor(x), math.floor(y)
        width, height = face.getlength(text), sum(face.getmetrics())
        size = (math.ceil(width) + 2 * _LARGER, height + 2 * _LARGER)
        large = Image.new("L", [math.ceil(side / _LARGER) * _LARGER + _LARGER for side in size])
        start = (_LARGER * (x - before), _LARGER * (y - above))
        ImageDraw.Draw(large).text(start, text, 255, face)
        self.image.paste(ink, (before, above), large.reduce(_LARGER))

    def _note(self, text: str, *, new_line: bool) -> None:
        if not self.blocks:
            self.block()
        if new_line or not self.blocks[-1]:
            self.blocks[-1].append(text)
        else:
            self.blocks[-1][-1] += " " + text

    def wrapped(
        self,
        x: float,
        y: float,
        text: str,
        ink: str,
        *,
        name: str,
        size: float,
        right: float,
        leading: float = 1.45,
        bold: bool = False,
    ) -> float:
        """Draw a paragraph; returns where the next line would begin."""
        line = ""
        for word in [*text.split(), None]:
            longer = f"{line} {word}".strip()
            if word is not None and self.span(longer, name, size, bold=bold) <= right - x:
                line = longer
                continue
            self.text(x, y, line, ink, name=name, size=size, right=right, bold=bold)
            y += leading * size
            line = word or ""
        return y

    def screen(self, name: str, kind: str) -> Screen:
        """Return what was drawn, blocks without a text left out."""
        blocks = tuple(tuple(lines) for lines in self.blocks if lines)
        return Screen(name, kind, self.image, blocks)

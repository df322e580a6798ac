"""A small picture to draw on, with a look of its own: fonts, colours, and the wear of scans."""

import io
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 128, 96

Colour = tuple[int, int, int]
Point = tuple[float, float]

# Those that matplotlib carries: the same on every machine.
_FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
)
# Computer Modern and STIX are drawn smaller than their size says.
_SMALL = ("STIX", "cm")
_SIZES = (9, 10, 11)
_DARK = 110
_LIGHT = 225


@dataclass(frozen=True)
class Glyph:
    """A printed character and its middle, in pixels."""

    character: str
    x: float
    y: float


@dataclass(frozen=True)
class Label:
    """The middle of a printed name, in pixels, and the number that belongs to it."""

    x: float
    y: float
    number: int


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(folder / name, size + 2 * name.startswith(_SMALL))


class Canvas:
    """128 x 96 pixels, RGB. `ink` is for text and lines; `colour` gives one for an area."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.paper = _shade(rng, _LIGHT, 255) if rng.random() < 0.5 else (255, 255, 255)
        self.ink = _shade(rng, 0, _DARK) if rng.random() < 0.5 else (0, 0, 0)
        self._image = Image.new("RGB", (WIDTH, HEIGHT), self.paper)
        self.draw = ImageDraw.Draw(self._image)
        self.font = _font(rng.choice(_FONTS), rng.choice(_SIZES))
        self.glyphs: list[Glyph] = []
        self.labels: list[Label] = []

    def colour(self) -> Colour:
        """Neither paper nor ink."""
        return _shade(self._rng, 60, 215)

    def width_of(self, text: str) -> float:
        return self.font.getlength(text)

    @property
    def line_height(self) -> int:
        """Of digits and capitals, in pixels."""
        _, top, _, bottom = self.font.getbbox("0A")
        return int(bottom - top)

    def label(self, at: Point, name: str, number: int, *, anchor: str, more: str = "") -> None:
        """`more` is printed behind the name."""
        before = len(self.glyphs)
        self.text(at, name + more, anchor=anchor)
        of_name = self.glyphs[before : before + len(name)]
        middle = (of_name[0].x + of_name[-1].x) / 2
        self.labels.append(Label(middle, of_name[0].y, number))

    def text(self, at: Point, text: str, *, anchor: str = "mm") -> None:
        """`anchor` as Pillow's; moved so that all of it is on the canvas."""
        left, top, right, bottom = self.draw.textbbox(at, text, font=self.font, anchor=anchor)
        x = at[0] + max(0, 1 - left) - max(0, right - WIDTH + 1)
        y = at[1] + max(0, 1 - top) - max(0, bottom - HEIGHT + 1)
        self.draw.text((x, y), text, font=self.font, fill=self.ink, anchor=anchor)
        self._note(text, left + x - at[0], (top + bottom) / 2 + y - at[1])

    def _note(self, text: str, left: float, y: float) -> None:
        for at, character in enumerate(text):
            middle = (self.width_of(text[:at]) + self.width_of(text[: at + 1])) / 2
            self.glyphs.append(Glyph(character, left + middle, y))

    def finished(self) -> Image.Image:
        """With noise, blur or the traces of JPEG on one picture in two."""
        image, wear = self._image, self._rng.random()
        if wear < 0.2:
            noise = np.random.default_rng(self._rng.randrange(2**32)).normal(
                0, 8, (HEIGHT, WIDTH, 3)
            )
            return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))
        if wear < 0.35:
            return image.filter(ImageFilter.GaussianBlur(self._rng.uniform(0.2, 0.6)))
        if wear < 0.5:
            stored = io.BytesIO()
            image.save(stored, "JPEG", quality=self._rng.randint(50, 90))
            return Image.open(stored).convert("RGB")
        return image


def _shade(rng: random.Random, low: int, high: int) -> Colour:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)

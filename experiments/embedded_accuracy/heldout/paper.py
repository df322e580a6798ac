"""Tables, receipts, figures and plain text drawn with Pillow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from experiments.embedded_accuracy.heldout.rendering import font_file

Rules = Literal["grid", "rows", "zebra", "none"]
Point = tuple[float, float]
Line = tuple[str, str]  # what stands at the left and at the right of a receipt's line
PAD = 36


@dataclass(frozen=True)
class Style:
    """Fonts and colours of a sheet."""

    font: str
    size: int = 22
    paper: str = "#ffffff"
    ink: str = "#222222"
    accent: str = "#30506b"
    stripe: str = "#eef2f5"
    on_accent: str = "#ffffff"

    def face(self, scale: float = 1.0, *, bold: bool = False) -> ImageFont.FreeTypeFont:
        path = str(font_file(self.font, bold=bold))
        return ImageFont.truetype(path, round(self.size * scale))


@dataclass(frozen=True)
class Sheet:
    """A table: the first column heads the rows."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(
    style: Style, rules: Rules, *, right_aligned: bool = False
) -> Callable[[Sheet], Image.Image]:
    def draw(sheet: Sheet) -> Image.Image:
        plain, bold = style.face(), style.face(bold=True)
        widths = [
            round(max(bold.getlength(row[i]) for row in (sheet.header, *sheet.rows))) + 76
            for i in range(len(sheet.header))
        ]
        step = round(style.size * 2.1)
        top = PAD + round(style.size * 2.2)
        title = style.face(1.25, bold=True)
        width = max(sum(widths), round(title.getlength(sheet.title))) + 2 * PAD
        picture = Image.new("RGB", (width, top + step * (len(sheet.rows) + 1) + PAD), style.paper)
        pen = ImageDraw.Draw(picture)
        pen.text((PAD, PAD - 8), sheet.title, font=title, fill=style.ink)
        for index, row in enumerate((sheet.header, *sheet.rows)):
            y = top + index * step
            _paint_row(pen, style, rules, index, (PAD, y, PAD + sum(widths), y + step))
            headed = index == 0 and rules in ("grid", "zebra")
            ink = style.on_accent if headed else style.ink
            left = PAD
            for place, (text, extent) in enumerate(zip(row, widths, strict=True)):
                face = bold if index == 0 else plain
                if right_aligned and place:
                    pen.text((left + extent - 16, y + step / 2), text, ink, face, anchor="rm")
                else:
                    pen.text((left + 16, y + step / 2), text, ink, face, anchor="lm")
                left += extent
        if rules == "grid":
            _rule_columns(pen, style, widths, (top, top + step * (len(sheet.rows) + 1)))
        return picture

    return draw


def _paint_row(
    pen: ImageDraw.ImageDraw,
    style: Style,
    rules: Rules,
    index: int,
    box: tuple[float, float, float, float],
) -> None:
    left, top, right, bottom = box
    if index == 0 and rules in ("grid", "zebra"):
        pen.rectangle(box, fill=style.accent)
    elif rules == "zebra" and index % 2 == 0:
        pen.rectangle(box, fill=style.stripe)
    if rules == "grid":
        pen.rectangle(box, outline=style.accent)
    if rules == "rows" or (rules == "none" and index == 0):
        pen.line((left, bottom, right, bottom), fill=style.accent, width=1 + (index == 0))
    if rules == "rows" and index == 0:
        pen.line((left, top, right, top), fill=style.accent, width=2)


def _rule_columns(
    pen: ImageDraw.ImageDraw, style: Style, widths: Sequence[int], extent: tuple[float, float]
) -> None:
    left = PAD
    for width in widths[:-1]:
        left += width
        pen.line((left, extent[0], left, extent[1]), fill=style.accent)


def receipt(
    style: Style, width: int = 520, *, dotted: bool = False
) -> Callable[[Sequence[str], Sequence[Line]], Image.Image]:
    """`draw(heading, lines)`; a line with two empty texts is a rule."""

    def draw(heading: Sequence[str], lines: Sequence[Line]) -> Image.Image:
        step = round(style.size * 1.75)
        picture = Image.new(
            "RGB", (width, 2 * PAD + step * (len(heading) + len(lines))), style.paper
        )
        pen = ImageDraw.Draw(picture)
        for index, text in enumerate(heading):
            face = style.face(1.2, bold=True) if index == 0 else style.face(0.85)
            pen.text((width / 2, PAD + step * index), text, style.ink, face, anchor="mm")
        for index, line in enumerate(lines, start=len(heading)):
            _write_line(pen, style, line, (width, PAD + step * index), dotted=dotted)
        return picture

    return draw


def _write_line(
    pen: ImageDraw.ImageDraw, style: Style, line: Line, at: tuple[int, int], *, dotted: bool
) -> None:
    width, y = at
    left, right = line
    if not left:
        pen.line((PAD, y, width - PAD, y), fill=style.ink, width=1)
        return
    face = style.face(bold=left.isupper())
    pen.text((PAD, y), left, style.ink, face, anchor="lm")
    pen.text((width - PAD, y), right, style.ink, face, anchor="rm")
    if dotted:
        start, end = PAD + face.getlength(left) + 10, width - PAD - face.getlength(right) - 10
        for x in range(round(start), round(end), 9):
            pen.ellipse((x, y + 5, x + 2, y + 7), fill=style.ink)


def written(style: Style, width: int = 720, *, framed: bool = False) -> Callable[..., Image.Image]:
    """`draw(heading, lines)`: a sign or a note."""

    def draw(heading: str, lines: Sequence[str]) -> Image.Image:
        step = round(style.size * 1.8)
        picture = Image.new("RGB", (width, 2 * PAD + step * (len(lines) + 1) + 12), style.paper)
        pen = ImageDraw.Draw(picture)
        pen.text((PAD, PAD), heading, style.ink, style.face(1.35, bold=True))
        for index, line in enumerate(lines, start=1):
            pen.text((PAD, PAD + 16 + step * index), line, style.ink, style.face())
        if framed:
            frame = (10, 10, picture.width - 10, picture.height - 10)
            pen.rectangle(frame, outline=style.accent, width=5)
        return picture

    return draw


@dataclass(frozen=True)
class Note:
    """A text centred on a point of a figure."""

    text: str
    at: Point


def figure(
    style: Style,
    outline: Sequence[Point],
    notes: Sequence[Note],
    extra: Sequence[tuple[Point, Point]] = (),
    size: tuple[int, int] = (640, 460),
) -> Image.Image:
    """A polygon, further lines and texts; no outline leaves the lines alone."""
    picture = Image.new("RGB", size, style.paper)
    pen = ImageDraw.Draw(picture)
    if outline:
        pen.polygon(list(outline), outline=style.accent, fill=style.stripe, width=4)
    for start, end in extra:
        pen.line((*start, *end), fill=style.accent, width=3)
    _write_notes(pen, style, notes)
    return picture


def circle(
    style: Style, centre: Point, radius: float, notes: Sequence[Note], rim: Point
) -> Image.Image:
    """A circle with a line from its centre to `rim`."""
    picture = Image.new("RGB", (600, 480), style.paper)
    pen = ImageDraw.Draw(picture)
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    pen.ellipse(box, outline=style.accent, fill=style.stripe, width=4)
    pen.line((x, y, *rim), fill=style.accent, width=3)
    pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=style.accent)
    _write_notes(pen, style, notes)
    return picture


def _write_notes(pen: ImageDraw.ImageDraw, style: Style, notes: Sequence[Note]) -> None:
    for note in notes:
        pen.text(note.at, note.text, style.ink, style.face(1.2), anchor="mm")

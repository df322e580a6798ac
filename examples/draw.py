"""Draw the example images and write the questions about them beside this script.

Run: python examples/draw.py
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).parent

# Coordinates and sizes below are in an image twice as large: halving it smooths the edges.
OVERSAMPLING = 2
LANDSCAPE = (1280, 960)
PORTRAIT = (840, 1120)
PNG_COLORS = 64
PAGE = HERE.parent / "gateway/playground/examples"
ON_THE_PAGE = ("receipt", "bar-chart", "right-triangle")
PAGE_COLORS = 3

TITLE = 72
TEXT = 56

WHITE = "#ffffff"
INK = "#111111"
NIGHT = "#0b1f3a"
AMBER = "#ffd34d"
PALETTE = ("#1f6fb4", "#d95f02", "#2a8f4f", "#8b5fbf")

Point = tuple[float, float]
Picture = ImageDraw.ImageDraw


@dataclass(frozen=True)
class Example:
    image: str
    question: str
    expected: str
    paint: Callable[[Picture], None]
    size: tuple[int, int] = LANDSCAPE
    background: str = WHITE


def write(
    picture: Picture,
    at: Point,
    text: str,
    *,
    size: float = TEXT,
    anchor: str = "mm",
    ink: str = INK,
) -> None:
    picture.text(at, text, font_size=size, anchor=anchor, fill=ink)


def rule(picture: Picture, left: float, right: float, y: float, *, ink: str = INK) -> None:
    picture.line((left, y, right, y), fill=ink, width=4)


def axes(picture: Picture) -> None:
    picture.line([(110, 180), (110, 800), (1200, 800)], fill=INK, width=6)


def bar_chart(picture: Picture) -> None:
    units_sold = {"January": 42, "February": 58, "March": 35, "April": 71}
    write(picture, (640, 90), "Units sold per month", size=TITLE)
    for x, (month, units) in zip(range(250, 1200, 270), units_sold.items(), strict=True):
        top = 800 - 7 * units
        picture.rectangle((x - 80, top, x + 80, 800), fill=PALETTE[0])
        write(picture, (x, top - 45), str(units))
        write(picture, (x, 860), month)
    axes(picture)


def line_chart(picture: Picture) -> None:
    visitors = {"Mon": 120, "Tue": 180, "Wed": 210, "Thu": 240, "Fri": 190}
    write(picture, (640, 90), "Visitors per day", size=TITLE)
    axes(picture)
    xs = range(220, 1200, 220)
    points = [(x, 800 - 2 * count) for x, count in zip(xs, visitors.values(), strict=True)]
    picture.line(points, fill=PALETTE[0], width=8, joint="curve")
    for (x, y), (day, count) in zip(points, visitors.items(), strict=True):
        picture.circle((x, y), 14, fill=PALETTE[1])
        write(picture, (x, y - 65), str(count))
        write(picture, (x, 860), day)


def pie_chart(picture: Picture) -> None:
    shares = {"Rent": 40, "Food": 25, "Travel": 20, "Savings": 15}
    write(picture, (640, 90), "Household budget", size=TITLE)
    start = -90.0
    ys = range(360, 800, 120)
    for y, (label, percent), color in zip(ys, shares.items(), PALETTE, strict=True):
        end = start + 3.6 * percent
        picture.pieslice((90, 220, 730, 860), start, end, fill=color)
        start = end
        picture.rectangle((810, y - 28, 866, y + 28), fill=color)
        write(picture, (900, y), f"{label} {percent}%", anchor="lm")


def table_row(
    picture: Picture, y: float, lefts: Sequence[float], cells: Sequence[str], *, ink: str = INK
) -> None:
    for left, cell in zip(lefts, cells, strict=True):
        write(picture, (left, y), cell, anchor="lm", ink=ink)


def table(picture: Picture) -> None:
    rows = [
        ("Team", "Wins", "Points"),
        ("Falcons", "9", "27"),
        ("Tigers", "7", "23"),
        ("Sharks", "6", "19"),
        ("Wolves", "4", "14"),
    ]
    write(picture, (640, 90), "League table", size=TITLE)
    rule(picture, 100, 1180, 190)
    for y, cells in zip(range(255, 840, 130), rows, strict=True):
        table_row(picture, y, (150, 610, 890), cells)
        rule(picture, 100, 1180, y + 65)
    for x in (100, 560, 840, 1180):
        picture.line((x, 190, x, 840), fill=INK, width=4)


def priced(picture: Picture, y: float, name: str, cents: int) -> None:
    write(picture, (90, y), name, anchor="lm")
    write(picture, (750, y), f"{cents / 100:.2f}", anchor="rm")


def receipt(picture: Picture) -> None:
    cents = {"Bread": 280, "Milk": 145, "Apples": 320, "Coffee": 650}
    write(picture, (420, 120), "CORNER SHOP", size=TITLE)
    rule(picture, 90, 750, 220)
    for y, (item, price) in zip(range(310, 800, 140), cents.items(), strict=True):
        priced(picture, y, item, price)
    rule(picture, 90, 750, 820)
    priced(picture, 920, "TOTAL", sum(cents.values()))
    rule(picture, 90, 750, 1020)


def right_triangle(picture: Picture) -> None:
    a, b, c = (340, 170), (340, 740), (1100, 740)
    picture.line([(b[0], b[1] - 60), (b[0] + 60, b[1] - 60), (b[0] + 60, b[1])], INK, 5)
    picture.polygon([a, b, c], outline=PALETTE[0], width=8)
    write(picture, (340, 120), "A", size=TITLE)
    write(picture, (290, 790), "B", size=TITLE)
    write(picture, (1150, 790), "C", size=TITLE)
    write(picture, (200, 455), "AB = 3", size=TITLE)
    write(picture, (720, 810), "BC = 4", size=TITLE)
    write(picture, (770, 410), "x = ?", size=TITLE, anchor="lm")


def text_question(picture: Picture) -> None:
    lines = [
        "A train travels 120 km in 2 hours.",
        "What is its average speed?",
        "(A) 40 km/h",
        "(B) 60 km/h",
        "(C) 80 km/h",
        "(D) 240 km/h",
    ]
    for y, line in zip(range(155, 900, 130), lines, strict=True):
        write(picture, (110, y), line, size=64, anchor="lm")


def timetable(picture: Picture) -> None:
    departures = [
        ("09:15", "Bristol", "2"),
        ("09:40", "Oxford", "5"),
        ("10:05", "Cardiff", "1"),
        ("10:30", "Brighton", "7"),
    ]
    lefts = (100, 400, 880)
    write(picture, (640, 100), "DEPARTURES", size=TITLE, ink=WHITE)
    table_row(picture, 250, lefts, ("Time", "Destination", "Platform"), ink=WHITE)
    for y, cells in zip(range(390, 900, 140), departures, strict=True):
        rule(picture, 100, 1180, y - 70, ink=WHITE)
        table_row(picture, y, lefts, cells, ink=AMBER)


EXAMPLES = (
    Example("bar-chart.png", "How many units were sold in April?", "71", bar_chart),
    Example("line-chart.png", "How many visitors came on Thursday?", "240", line_chart),
    Example("pie-chart.png", "What percentage of the budget is food?", "25%", pie_chart),
    Example("table.png", "How many points do the Tigers have?", "23", table),
    Example("receipt.png", "What is the total on the receipt?", "13.95", receipt, PORTRAIT),
    Example("right-triangle.png", "How long is x?", "5", right_triangle),
    Example("text-question.png", "Which option is correct?", "B", text_question),
    Example(
        "timetable.png",
        "From which platform does the train to Oxford leave?",
        "5",
        timetable,
        background=NIGHT,
    ),
)


def draw(example: Example) -> None:
    image = Image.new("RGB", example.size, example.background)
    example.paint(ImageDraw.Draw(image))
    image.reduce(OVERSAMPLING).quantize(PNG_COLORS).save(HERE / example.image, optimize=True)


def copy_for_the_page(name: str) -> None:
    """Writes a copy of a drawing in fewer bytes, for the playground."""
    with Image.open(HERE / f"{name}.png") as drawing:
        few = drawing.convert("RGB").quantize(PAGE_COLORS, dither=Image.Dither.NONE)
    few.convert("RGB").save(PAGE / f"{name}.webp", lossless=True, quality=100, method=6)


def question_line(example: Example) -> str:
    line = {
        "image": example.image,
        "question": example.question,
        "expected": example.expected,
    }
    return json.dumps(line) + "\n"


def main() -> None:
    for example in EXAMPLES:
        draw(example)
    for name in ON_THE_PAGE:
        copy_for_the_page(name)
    (HERE / "questions.jsonl").write_text("".join(map(question_line, EXAMPLES)), encoding="utf-8")


if __name__ == "__main__":
    main()

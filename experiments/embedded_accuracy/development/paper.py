"""A sheet to draw on with Pillow, and the tables drawn on it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import cast

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from experiments.embedded_accuracy.development.asks import Column, Grid, grid_questions
from experiments.embedded_accuracy.development.words import Style, shown, some_shares
from experiments.embedded_accuracy.items import Drawing, Kind, Pair, Question

SEED = 20262
WHITE = "#ffffff"
INK = "#111111"
NIGHT = "#14213d"
PALE = "#eef2f7"
BLUE = "#1f4e79"
CREAM = "#fbf6e9"

Point = tuple[float, float]


@cache
def font(size: float, *, bold: bool = False, builtin: bool = False) -> ImageFont.FreeTypeFont:
    if builtin:
        return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", name), size)


@dataclass
class Sheet:
    width: int
    height: int
    paper: str = WHITE
    ink: str = INK
    size: float = 20
    builtin: bool = False
    image: Image.Image = field(init=False)
    draw: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width, self.height), self.paper)
        self.draw = ImageDraw.Draw(self.image)

    def write(
        self,
        at: Point,
        text: str,
        *,
        anchor: str = "lm",
        size: float | None = None,
        bold: bool = False,
        ink: str | None = None,
    ) -> None:
        lettering = font(size or self.size, bold=bold, builtin=self.builtin)
        self.draw.text(at, text, font=lettering, anchor=anchor, fill=ink or self.ink)

    def length(self, text: str, *, bold: bool = False) -> float:
        return font(self.size, bold=bold, builtin=self.builtin).getlength(text)

    def line(self, *points: Point, width: int = 2, ink: str | None = None) -> None:
        self.draw.line(points, fill=ink or self.ink, width=width)


def seeded(name: str) -> Random:
    return Random(f"{SEED} {name}")


@dataclass(frozen=True)
class Ruling:
    """How a table is set; a dark header is white on a colour."""

    titled: bool = True
    across: bool = True
    down: bool = False
    zebra: bool = False
    bold_header: bool = True
    header: str | None = None
    right: bool = False
    centered: bool = False
    size: float = 20
    row: int = 46
    gap: int = 44
    builtin: bool = False
    dark: bool = False


def table_cells(grid: Grid, corner: str) -> list[tuple[str, ...]]:
    heads = (corner, *(column.name for column in grid.columns))
    rows = zip(grid.rows, *(column.cells for column in grid.columns), strict=True)
    return [heads, *rows]


def table(grid: Grid, corner: str, ruling: Ruling) -> Image.Image:
    cells = table_cells(grid, corner)
    blank = Sheet(1, 1, size=ruling.size, builtin=ruling.builtin)
    widths = [
        max(blank.length(cell, bold=True) for cell in column) + ruling.gap
        for column in zip(*cells, strict=True)
    ]
    top = 90 if ruling.titled else 30
    sheet = Sheet(
        int(sum(widths)) + 60,
        top + ruling.row * len(cells) + 30,
        paper=NIGHT if ruling.dark else WHITE,
        ink=WHITE if ruling.dark else INK,
        size=ruling.size,
        builtin=ruling.builtin,
    )
    if ruling.titled:
        size = ruling.size * 1.3
        sheet.write((sheet.width / 2, 48), grid.title, anchor="mm", size=size, bold=True)
    lefts = [30 + sum(widths[:at]) for at in range(len(widths) + 1)]
    for at, row in enumerate(cells):
        table_row(sheet, grid, ruling, lefts, (at, top + at * ruling.row), row)
    rule_table(sheet, ruling, lefts, top, len(cells))
    return sheet.image


def table_row(
    sheet: Sheet,
    grid: Grid,
    ruling: Ruling,
    lefts: Sequence[float],
    place: tuple[int, int],
    cells: Sequence[str],
) -> None:
    at, top = place
    heading = at == 0
    shade = ruling.header if heading else PALE if ruling.zebra and at % 2 == 0 else None
    if shade:
        sheet.draw.rectangle((lefts[0], top, lefts[-1], top + ruling.row), fill=shade)
    ink = WHITE if heading and ruling.header else sheet.ink
    for column, cell in enumerate(cells):
        numeric = column > 0 and bool(grid.columns[column - 1].values)
        x, anchor = cell_place(ruling, lefts[column], lefts[column + 1], numeric=numeric)
        at_point = (x, top + ruling.row / 2)
        sheet.write(at_point, cell, anchor=anchor, bold=heading and ruling.bold_header, ink=ink)


def cell_place(ruling: Ruling, left: float, right: float, *, numeric: bool) -> tuple[float, str]:
    if ruling.right and numeric:
        return right - 14, "rm"
    if ruling.centered:
        return (left + right) / 2, "mm"
    return left + 14, "lm"


def rule_table(sheet: Sheet, ruling: Ruling, lefts: Sequence[float], top: int, count: int) -> None:
    bottom = top + count * ruling.row
    if ruling.across:
        for y in range(top, bottom + 1, ruling.row):
            sheet.line((lefts[0], y), (lefts[-1], y))
    if ruling.down:
        for x in lefts:
            sheet.line((x, top), (x, bottom))


def number_column(
    rng: Random, name: str, count: int, low: int, high: int, style: Style = "int"
) -> Column:
    scale = 10 if style == "tenths" else 1
    drawn = rng.sample(range(low, high + 1), count)
    values = tuple(Decimal(value) / scale for value in drawn)
    return Column(name, tuple(shown(value, style) for value in values), values, style)


def summed(name: str, columns: Sequence[Column]) -> Column:
    sums = tuple(sum(row, Decimal()) for row in zip(*(c.values for c in columns), strict=True))
    style = columns[0].style
    return Column(name, tuple(shown(value, style) for value in sums), sums, style)


def league(rng: Random) -> tuple[Grid, str]:
    teams = ("Falcons", "Tigers", "Sharks", "Wolves", "Bears")
    wins = number_column(rng, "Wins", 5, 2, 14)
    losses = number_column(rng, "Losses", 5, 1, 9)
    points = number_column(rng, "Points", 5, 12, 60)
    return Grid("League table", "team", teams, (wins, losses, points)), "Team"


def stock(rng: Random) -> tuple[Grid, str]:
    products = ("Desk lamp", "Office chair", "Paper clips", "Water bottle", "USB cable")
    columns = (
        number_column(rng, "Price", 5, 2, 240, "dollar"),
        number_column(rng, "In stock", 5, 3, 180),
        Column("Supplier", ("Bright Ltd", "Sit Well", "Office Plus", "Aqua & Co", "Cable World")),
    )
    return Grid("Stock list", "product", products, columns), "Product"


def marks(rng: Random) -> tuple[Grid, str]:
    subjects = [number_column(rng, name, 6, 45, 99) for name in ("Maths", "English", "Science")]
    names = ("Alice", "Ben", "Clara", "David", "Emma", "Frank")
    return Grid("Exam marks", "student", names, tuple(subjects)), "Student"


def staff(rng: Random) -> tuple[Grid, str]:
    names = ("Laura King", "Tom Baker", "Nina Wolf", "Peter Hall")
    columns = (
        Column("Department", ("Human Resources", "Sales", "Customer Support", "Finance")),
        Column("City", ("Paris", "Berlin", "Madrid", "Oslo")),
        number_column(rng, "Age", 4, 24, 61),
    )
    return Grid("Our staff", "person", names, columns), "Name"


def countries(rng: Random) -> tuple[Grid, str]:
    names = ("France", "Germany", "Spain", "Italy", "Norway")
    shares = some_shares(rng, 5, tenths=False)
    columns = (
        Column("Capital", ("Paris", "Berlin", "Madrid", "Rome", "Oslo")),
        number_column(rng, "Visitors", 5, 1200, 98000, "thousands"),
        Column("Share", tuple(shown(part, "percent") for part in shares), shares, "percent"),
    )
    return Grid("Visitors by country", "country", names, columns), "Country"


def quarters(rng: Random) -> tuple[Grid, str]:
    shops = ("North", "South", "East", "West")
    parts = [number_column(rng, name, 4, 1100, 9900, "thousands") for name in ("Q1", "Q2", "Q3")]
    return Grid("Sales by region", "region", shops, (*parts, summed("Total", parts))), "Region"


def changes(rng: Random) -> tuple[Grid, str]:
    accounts = ("Revenue", "Costs", "Marketing", "Travel", "Training")
    before, after = (number_column(rng, year, 5, 120, 980, "dollar") for year in ("2023", "2024"))
    values = tuple(new - old for old, new in zip(before.values, after.values, strict=True))
    change = Column("Change", tuple(shown(v, "dollar") for v in values), values, "dollar")
    return Grid("Annual accounts", "account", accounts, (before, after, change)), "Account"


def trains(_: Random) -> tuple[Grid, str]:
    towns = ("Vienna", "Prague", "Warsaw", "Lisbon", "Dublin")
    minutes = tuple(map(Decimal, (95, 140, 215, 60, 180)))
    columns = (
        Column("Departs", ("08:15", "09:40", "11:05", "12:30", "15:55")),
        Column("Platform", ("3", "7", "1", "12", "5")),
        Column("Minutes", tuple(map(str, minutes)), minutes),
    )
    return Grid("Departures", "train", towns, columns), "Destination"


def rota(rng: Random) -> tuple[Grid, str]:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    columns = (
        Column("Morning", ("Alice", "", "Henry", "Grace", "Ben")),
        Column("Afternoon", ("Lucy", "Oliver", "", "Emma", "")),
        number_column(rng, "Hours", 5, 4, 12),
    )
    return Grid("Work rota", "day", days, columns), "Day"


def rooms(rng: Random) -> tuple[Grid, str]:
    columns = (
        number_column(rng, "Width (m)", 4, 21, 59, "tenths"),
        number_column(rng, "Length (m)", 4, 30, 79, "tenths"),
    )
    return Grid("", "room", ("Kitchen", "Bedroom", "Living room", "Bathroom"), columns), "Room"


Maker = Callable[[Random], tuple[Grid, str]]


def tables() -> Iterator[Drawing]:
    boxed = Ruling(down=True)
    zebra = Ruling(across=False, zebra=True, header=BLUE, right=True)
    bare = Ruling(across=False, right=True, gap=60)
    makers: tuple[tuple[str, Maker, Ruling], ...] = (
        ("ruled", league, boxed),
        ("centered", league, Ruling(down=True, centered=True, row=54, size=22)),
        ("stock", stock, Ruling(right=True)),
        ("stock-zebra", stock, zebra),
        ("marks", marks, bare),
        ("marks-boxed", marks, Ruling(titled=False, down=True, bold_header=False, builtin=True)),
        ("staff", staff, Ruling(down=True, header="#444444", size=18)),
        ("staff-bare", staff, Ruling(across=False, titled=False, bold_header=True, gap=50)),
        ("countries", countries, zebra),
        ("countries-dark", countries, Ruling(dark=True, right=True, size=19)),
        ("quarters", quarters, Ruling(right=True, down=True, header=BLUE)),
        ("quarters-bare", quarters, Ruling(across=False, right=True, titled=False, size=18)),
        ("changes", changes, Ruling(right=True, builtin=True, size=22)),
        ("trains", trains, Ruling(zebra=True, across=False, size=18, row=40)),
        ("rota", rota, boxed),
        ("rota-zebra", rota, Ruling(across=False, zebra=True, header="#2a6f4f", titled=False)),
        ("rooms", rooms, Ruling(titled=False, down=True, size=24, row=58)),
    )
    for name, make, ruling in makers:
        rng = seeded(name)
        grid, corner = make(rng)
        image = table(grid, corner, ruling)
        yield drawn(f"table-{name}", "table", image, grid.pairs, grid_questions(rng, grid))


def drawn(
    name: str,
    kind: Kind,
    image: Image.Image,
    pairs: tuple[Pair, ...],
    questions: tuple[Question, ...],
) -> Drawing:
    return Drawing(f"paper-{name}", kind, image, pairs, questions)

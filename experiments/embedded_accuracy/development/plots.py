"""Charts drawn by matplotlib in its default style, in many layouts."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from math import cos, radians, sin
from random import Random

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from experiments.embedded_accuracy.development import words
from experiments.embedded_accuracy.development.asks import (
    Column,
    Grid,
    Series,
    grid_questions,
    series_questions,
    unprinted_questions,
)
from experiments.embedded_accuracy.development.words import Style, Topic, shown
from experiments.embedded_accuracy.items import Drawing, Kind, Pair, Question

SEED = 20261
TAB10 = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf")
SET2 = ("#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f", "#e5c494", "#b3b3b3")
OWN = ("#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#8ab17d", "#6d597a", "#b56576")
PALETTES = (TAB10, SET2, OWN)
DARK = "#1e1e2e"
LIGHT = "#f0f0f0"
LABEL_SIZE_LIMIT = 14


@dataclass(frozen=True)
class Theme:
    """How a chart is set: sizes in inches and points, 100 pixels to the inch."""

    size: tuple[float, float] = (7.2, 4.8)
    font: float = 11
    palette: tuple[str, ...] = TAB10
    many_colors: bool = False
    inside: bool = False
    y_ticks: bool = True
    axis_titles: tuple[str, str] | None = None
    rotated: int = 0
    frame: bool = True
    dark: bool = False
    grid: bool = False


Painter = Callable[[Axes, Theme], None]


def settings(theme: Theme) -> dict[str, object]:
    colors = ("figure.facecolor", "axes.facecolor", "savefig.facecolor", "legend.facecolor")
    inks = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")
    dark = {**dict.fromkeys(colors, DARK), **dict.fromkeys(inks, LIGHT)} if theme.dark else {}
    return {**mpl.rcParamsDefault, "font.size": theme.font, "font.family": "DejaVu Sans", **dark}


def rendered(theme: Theme, title: str, paint: Painter) -> Image.Image:
    defaults = {key: value for key, value in settings(theme).items() if key != "backend"}
    with mpl.rc_context(defaults):
        padded = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
        figure = Figure(figsize=theme.size, dpi=100, layout=padded)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        if title:
            axes.set_title(title, pad=12)
        paint(axes, theme)
        png = io.BytesIO()
        figure.savefig(png, format="png")
    png.seek(0)
    return Image.open(png).convert("RGB")


def finish_axes(axes: Axes, theme: Theme, *, upright: bool = True) -> None:
    if theme.axis_titles:
        axes.set_xlabel(theme.axis_titles[0])
        axes.set_ylabel(theme.axis_titles[1])
    if not theme.y_ticks:
        (axes.set_yticks if upright else axes.set_xticks)([])
    if theme.rotated:
        axes.tick_params(axis="x", labelrotation=theme.rotated)
    if not theme.frame:
        axes.spines[["top", "right"]].set_visible(b=False)
    if theme.grid:
        axes.grid(axis="y" if upright else "x", alpha=0.4)
        axes.set_axisbelow(True)


def bar_colors(theme: Theme, count: int) -> tuple[str, ...]:
    return theme.palette[:count] if theme.many_colors else (theme.palette[0],) * count


def floats(values: Sequence[Decimal]) -> list[float]:
    return [float(value) for value in values]


def paint_bars(axes: Axes, theme: Theme, *, series: Series, printed: bool = True) -> None:
    bars = axes.bar(
        series.labels,
        floats(series.values),
        width=0.65,
        color=bar_colors(theme, len(series.labels)),
    )
    if printed and theme.inside:
        axes.bar_label(bars, labels=series.printed, label_type="center", color="white")
    elif printed:
        axes.bar_label(bars, labels=series.printed, padding=3)
        axes.margins(y=0.12)
    finish_axes(axes, theme)


def paint_rows(axes: Axes, theme: Theme, *, series: Series, printed: bool = True) -> None:
    bars = axes.barh(
        series.labels,
        floats(series.values),
        height=0.6,
        color=bar_colors(theme, len(series.labels)),
    )
    axes.invert_yaxis()
    if printed and theme.inside:
        axes.bar_label(bars, labels=series.printed, label_type="center", color="white")
    elif printed:
        axes.bar_label(bars, labels=series.printed, padding=5)
        axes.margins(x=0.14)
    finish_axes(axes, theme, upright=False)


def paint_line(axes: Axes, theme: Theme, *, series: Series, printed: bool = True) -> None:
    axes.plot(series.labels, floats(series.values), marker="o", color=theme.palette[0])
    if printed:
        ys = floats(series.values)
        for x, (text, y) in enumerate(zip(series.printed, ys, strict=True)):
            in_dip = all(y <= beside for beside in ys[max(x - 1, 0) : x + 2])
            print_point(axes, (x, y), text, above=not in_dip)
        axes.margins(x=0.08, y=0.16)
    finish_axes(axes, theme)


def print_point(axes: Axes, at: tuple[float, float], text: str, *, above: bool) -> None:
    axes.annotate(
        text,
        at,
        textcoords="offset points",
        xytext=(0, 9 if above else -10),
        ha="center",
        va="bottom" if above else "top",
    )


def paint_lines(axes: Axes, theme: Theme, *, grid: Grid) -> None:
    """The first series lies above the second, and their values on the outer sides."""
    for at, column in enumerate(grid.columns):
        ys = floats(column.values)
        axes.plot(grid.rows, ys, marker="os"[at], color=theme.palette[at], label=column.name)
        for x, (text, y) in enumerate(zip(column.cells, ys, strict=True)):
            print_point(axes, (x, y), text, above=at == 0)
    axes.margins(x=0.08, y=0.2)
    axes.legend()
    finish_axes(axes, theme)


def paint_groups(axes: Axes, theme: Theme, *, grid: Grid) -> None:
    width = 0.84 / len(grid.columns)
    for at, column in enumerate(grid.columns):
        xs = [x + (at - (len(grid.columns) - 1) / 2) * width for x in range(len(grid.rows))]
        bars = axes.bar(
            xs, floats(column.values), width * 0.92, color=theme.palette[at], label=column.name
        )
        axes.bar_label(bars, labels=column.cells, padding=2)
    axes.set_xticks(range(len(grid.rows)), grid.rows)
    axes.margins(y=0.3)
    axes.legend(loc="upper right", ncols=len(grid.columns))
    finish_axes(axes, theme)


def paint_group_rows(axes: Axes, theme: Theme, *, grid: Grid) -> None:
    height = 0.8 / len(grid.columns)
    for at, column in enumerate(grid.columns):
        ys = [y + (at - (len(grid.columns) - 1) / 2) * height for y in range(len(grid.rows))]
        bars = axes.barh(
            ys, floats(column.values), height * 0.9, color=theme.palette[at], label=column.name
        )
        axes.bar_label(bars, labels=column.cells, padding=4)
    axes.set_yticks(range(len(grid.rows)), grid.rows)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.figure.legend(loc="outside lower center", ncols=len(grid.columns))
    finish_axes(axes, theme, upright=False)


def paint_stacks(axes: Axes, theme: Theme, *, grid: Grid) -> None:
    base = [0.0] * len(grid.rows)
    for at, column in enumerate(grid.columns):
        ys = floats(column.values)
        bars = axes.bar(
            grid.rows, ys, width=0.6, bottom=base, color=theme.palette[at], label=column.name
        )
        axes.bar_label(bars, labels=column.cells, label_type="center")
        base = [low + y for low, y in zip(base, ys, strict=True)]
    axes.figure.legend(loc="outside right upper")
    finish_axes(axes, theme)


@dataclass(frozen=True)
class Slices:
    """Where a pie prints its labels and its values, if at all."""

    labels: str
    values: str
    hole: bool = False
    start: float = 90
    clockwise: bool = True


def paint_pie(axes: Axes, theme: Theme, *, series: Series, slices: Slices) -> None:
    both = [f"{label} {value}" for label, value in zip(series.labels, series.printed, strict=True)]
    names = both if slices.values == "label" else list(series.labels)
    wedges, *_ = axes.pie(
        floats(series.values),
        labels=names if slices.labels == "outside" else None,
        colors=theme.palette[: len(names)],
        startangle=slices.start,
        counterclock=not slices.clockwise,
        wedgeprops={"width": 0.42} if slices.hole else {"edgecolor": "white"},
    )
    if slices.values == "inside":
        print_inside(axes, series, slices)
    if slices.labels == "legend":
        axes.legend(wedges, names, loc="center left", bbox_to_anchor=(1.02, 0.5))


def print_inside(axes: Axes, series: Series, slices: Slices) -> None:
    radius = 0.79 if slices.hole else 0.62
    turned = 0.0
    for value, text in zip(floats(series.values), series.printed, strict=True):
        middle = 3.6 * (turned + value / 2)
        angle = radians(slices.start + (-middle if slices.clockwise else middle))
        axes.text(radius * cos(angle), radius * sin(angle), text, ha="center", va="center")
        turned += value


def some_series(rng: Random, topic: Topic, count: int) -> Series:
    labels = words.some_labels(rng, topic, count)
    return Series(topic, labels, words.some_values(rng, topic, count), topic.style)


def some_grid(
    rng: Random, topic: Topic, count: int, names: Sequence[str], *, apart: bool = False
) -> Grid:
    """`apart`: each column's values are above the next one's."""
    step = (topic.high - topic.low) // len(names) if apart else 0
    columns = []
    for at, name in enumerate(names):
        raised = step * (len(names) - 1 - at)
        scale = 10 if topic.style == "tenths" else 1
        high = topic.low + step * 2 // 3 if apart else topic.high
        drawn = rng.sample(range(topic.low, high + 1), count)
        values = tuple(Decimal(value + raised) / scale for value in drawn)
        cells = tuple(shown(value, topic.style) for value in values)
        columns.append(Column(name, cells, values, topic.style))
    rows = words.some_labels(rng, topic, count)
    return Grid(topic.title, topic.noun, rows, tuple(columns), charted=True)


def drawn(
    name: str,
    kind: Kind,
    image: Image.Image,
    pairs: tuple[Pair, ...],
    questions: tuple[Question, ...],
) -> Drawing:
    return Drawing(f"plot-{name}", kind, image, pairs, questions)


def of_series(
    name: str, kind: Kind, topic: Topic, count: int, theme: Theme, paint: Callable[..., None]
) -> Drawing:
    rng = Random(f"{SEED} {name}")
    series = some_series(rng, topic, count)
    image = rendered(theme, topic.title, partial(paint, series=series))
    return drawn(name, kind, image, series.pairs, series_questions(rng, series))


def unprinted(
    name: str, kind: Kind, topic: Topic, count: int, theme: Theme, paint: Callable[..., None]
) -> Drawing:
    rng = Random(f"{SEED} {name}")
    series = some_series(rng, topic, count)
    image = rendered(theme, topic.title, partial(paint, series=series, printed=False))
    return drawn(name, kind, image, (), unprinted_questions(rng, series))


def of_grid(
    name: str,
    kind: Kind,
    topic: Topic,
    count: int,
    names: Sequence[str],
    theme: Theme,
    paint: Callable[..., None],
) -> Drawing:
    rng = Random(f"{SEED} {name}")
    grid = some_grid(rng, topic, count, names, apart=paint is paint_lines)
    image = rendered(theme, topic.title, partial(paint, grid=grid))
    return drawn(name, kind, image, grid.pairs, grid_questions(rng, grid))


def of_pie(
    name: str, topic: Topic, count: int, theme: Theme, slices: Slices, style: Style = "percent"
) -> Drawing:
    rng = Random(f"{SEED} {name}")
    labels = words.some_labels(rng, topic, count)
    shares = words.some_shares(rng, count, tenths="tenths" in name)
    series = Series(topic, labels, shares, style)
    image = rendered(theme, topic.title, partial(paint_pie, series=series, slices=slices))
    if slices.values == "none":
        return drawn(name, "pie", image, (), unprinted_questions(rng, series))
    return drawn(name, "pie", image, series.pairs, series_questions(rng, series))


def bars() -> Iterator[Drawing]:
    plain = Theme()
    colorful = Theme(palette=SET2, many_colors=True, frame=False)
    bare = Theme(palette=OWN, y_ticks=False, frame=False, font=12)
    titled = Theme(axis_titles=("Month", "Units sold"), grid=True)
    inside = Theme(palette=OWN, inside=True, font=12, size=(6.4, 4.8))
    rotated = Theme(rotated=45, size=(8, 5.4), axis_titles=("", "Employees"))
    upright = Theme(rotated=90, size=(7, 5.6), palette=SET2)
    dark = Theme(dark=True, palette=SET2, size=(8, 5))
    for name, topic, count, theme in (
        ("bars-plain", words.SALES, 5, plain),
        ("bars-titled", words.SALES, 6, titled),
        ("bars-bare", words.FRUIT, 5, bare),
        ("bars-colorful", words.SCORES, 6, colorful),
        ("bars-inside", words.PROFIT, 4, inside),
        ("bars-inside-votes", words.SCORES, 5, inside),
        ("bars-rotated", words.STAFF, 6, rotated),
        ("bars-upright-labels", words.GROWTH, 7, upright),
        ("bars-dark", words.VISITORS, 6, dark),
        ("bars-dollars", words.REVENUE, 6, Theme(palette=OWN, axis_titles=("Year", "Revenue ($)"))),
        ("bars-thousands", words.POPULATION, 5, Theme(palette=SET2, grid=True, font=12)),
        ("bars-tenths", words.RAIN, 8, Theme(size=(9, 5), axis_titles=("Month", "Rainfall (cm)"))),
        ("bars-year", words.SALES, 12, Theme(size=(10, 5), rotated=30, palette=TAB10[2:])),
        ("bars-percent", words.GROWTH, 5, Theme(font=13, y_ticks=False, palette=TAB10[3:])),
        ("bars-signed", words.TEMPERATURE, 6, Theme(many_colors=True, palette=TAB10)),
        ("bars-small", words.PETS, 3, Theme(size=(4.8, 3.6), palette=OWN[1:])),
    ):
        yield of_series(name, "bar", topic, count, theme, paint_bars)


def rows() -> Iterator[Drawing]:
    inside = Theme(inside=True, palette=OWN, font=12)
    for name, topic, count, theme in (
        ("rows-plain", words.FRUIT, 5, Theme()),
        ("rows-long", words.STAFF, 6, Theme(size=(8, 5), palette=SET2)),
        ("rows-inside", words.PROFIT, 4, inside),
        ("rows-inside-colors", words.SCORES, 5, Theme(inside=True, many_colors=True, font=12)),
        ("rows-bare", words.REASONS, 5, Theme(y_ticks=False, frame=False, palette=OWN, font=12)),
        ("rows-dark", words.POPULATION, 6, Theme(dark=True, palette=SET2[1:])),
        (
            "rows-tenths",
            words.HOURS,
            6,
            Theme(grid=True, axis_titles=("Hours per week", "Subject")),
        ),
        ("rows-many", words.SCORES, 9, Theme(size=(7, 6), many_colors=False, palette=TAB10[4:])),
    ):
        yield of_series(name, "bar", topic, count, theme, paint_rows)


_WIDE = Theme(size=(9, 5))
_GROUPS: tuple[tuple[str, Topic, int, tuple[str, ...], Theme, Callable[..., None]], ...] = (
    ("groups-years", words.SALES, 4, ("2023", "2024"), _WIDE, paint_groups),
    ("groups-shops", words.PROFIT, 4, ("North", "South"), Theme(size=(9.6, 5)), paint_groups),
    (
        "groups-three",
        words.PETS,
        4,
        ("Class A", "Class B", "Class C"),
        Theme(size=(9.6, 5.2), palette=SET2),
        paint_groups,
    ),
    (
        "groups-scores",
        words.SCORES,
        5,
        ("Maths", "History"),
        Theme(size=(9, 5), dark=True),
        paint_groups,
    ),
    (
        "groups-titled",
        words.VISITORS,
        5,
        ("Adults", "Children"),
        Theme(size=(9, 5.4), palette=OWN[1:], axis_titles=("Day", "Visitors")),
        paint_groups,
    ),
    (
        "groups-rain",
        words.RAIN,
        4,
        ("Oslo", "Rome", "Paris"),
        Theme(size=(9.6, 5)),
        paint_groups,
    ),
    (
        "group-rows",
        words.FRUIT,
        4,
        ("Girls", "Boys"),
        Theme(size=(7.6, 5.4), palette=SET2),
        paint_group_rows,
    ),
    (
        "stacks-units",
        words.SALES,
        4,
        ("Online", "In store"),
        Theme(size=(8, 5), palette=SET2),
        paint_stacks,
    ),
    (
        "stacks-three",
        words.PROFIT,
        4,
        ("Food", "Drinks", "Other"),
        Theme(size=(8, 5.4), palette=SET2, frame=False),
        paint_stacks,
    ),
    ("stacks-visitors", words.VISITORS, 5, ("Adults", "Children"), _WIDE, paint_stacks),
)


def groups() -> Iterator[Drawing]:
    for name, topic, count, names, theme, paint in _GROUPS:
        yield of_grid(name, "bar", topic, count, names, theme, paint)


def lines() -> Iterator[Drawing]:
    for name, topic, count, theme in (
        ("line-plain", words.SALES, 6, Theme(size=(8, 4.8))),
        ("line-grid", words.VISITORS, 7, Theme(grid=True, palette=OWN[1:])),
        ("line-signed", words.TEMPERATURE, 8, Theme(size=(8, 5), palette=TAB10[3:])),
        ("line-dollars", words.REVENUE, 7, Theme(size=(9, 5), axis_titles=("Year", "Revenue"))),
        ("line-tenths", words.RAIN, 6, Theme(frame=False, palette=TAB10[2:], font=12)),
        ("line-dark", words.SALES, 5, Theme(dark=True, palette=SET2, font=12)),
        ("line-bare", words.POPULATION, 5, Theme(y_ticks=False, frame=False)),
    ):
        yield of_series(name, "line", topic, count, theme, paint_line)
    for name, topic, count, names, theme in (
        ("lines-years", words.SALES, 6, ("2023", "2024"), Theme(size=(9, 5.4))),
        ("lines-cities", words.TEMPERATURE, 6, ("Rome", "Oslo"), Theme(size=(9, 5.4), grid=True)),
        (
            "lines-titled",
            words.VISITORS,
            5,
            ("Museum", "Zoo"),
            Theme(size=(8.4, 5.4), palette=OWN[1:], axis_titles=("Day", "Visitors")),
        ),
    ):
        yield of_grid(name, "line", topic, count, names, theme, paint_lines)


def pies() -> Iterator[Drawing]:
    wide = Theme(size=(7.6, 4.8), palette=SET2)
    for name, topic, count, theme, slices in (
        ("pie-legend", words.BUDGET, 4, wide, Slices("legend", "inside")),
        ("pie-legend-own", words.SPENDING, 5, Theme(size=(8.6, 5)), Slices("legend", "inside")),
        ("pie-autopct-tenths", words.PET_SHARE, 4, wide, Slices("outside", "inside", start=0)),
        (
            "pie-autopct",
            words.MARKET,
            6,
            Theme(size=(6.4, 5.2)),
            Slices("outside", "inside", start=0, clockwise=False),
        ),
        ("pie-outside", words.CAR_COLOURS, 5, Theme(size=(7, 5)), Slices("outside", "label")),
        ("pie-outside-tenths", words.MARKET, 4, wide, Slices("outside", "label", start=45)),
        ("pie-in-legend", words.BUDGET, 5, wide, Slices("legend", "label")),
        ("pie-dark", words.PET_SHARE, 4, Theme(dark=True), Slices("outside", "label")),
        ("donut-legend", words.MARKET, 5, wide, Slices("legend", "inside", hole=True)),
        ("donut-outside", words.BUDGET, 4, wide, Slices("outside", "inside", hole=True)),
        (
            "donut-in-legend-tenths",
            words.SPENDING,
            4,
            Theme(size=(9, 5), palette=OWN),
            Slices("legend", "label", hole=True),
        ),
        ("pie-unprinted", words.BUDGET, 5, wide, Slices("outside", "none")),
        (
            "pie-unprinted-legend",
            words.CAR_COLOURS,
            4,
            Theme(size=(7, 5)),
            Slices("legend", "none"),
        ),
    ):
        yield of_pie(name, topic, count, theme, slices)


def unlabelled() -> Iterator[Drawing]:
    titled = Theme(axis_titles=("Month", "Units sold"), grid=True)
    yield unprinted("bars-unprinted", "bar", words.FRUIT, 5, Theme(), paint_bars)
    yield unprinted("bars-unprinted-titled", "bar", words.SALES, 5, titled, paint_bars)
    yield unprinted("rows-unprinted", "bar", words.STAFF, 5, Theme(size=(8, 5)), paint_rows)
    yield unprinted("line-unprinted", "line", words.REVENUE, 6, Theme(grid=True), paint_line)
    yield unprinted("line-unprinted-titled", "line", words.SALES, 6, titled, paint_line)


def plots() -> Iterator[Drawing]:
    for family in (bars, rows, groups, lines, pies, unlabelled):
        yield from family()

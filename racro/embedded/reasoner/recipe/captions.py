"""How a series of amounts, a table or a receipt reads: the composer's own form, and others."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from racro.embedded.reasoner.recipe.lessons import Series
from racro.embedded.reasoner.recipe.numbers import Amount


@dataclass(frozen=True)
class Grid:
    """A table of amounts: `cells[row][column]`."""

    title: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Amount, ...]], ...]


_LINES = (
    "{name}: {amount}",
    "- {name}: {amount}",
    "* {name} {amount}",
    "{name} = {amount}",
    "{name} - {amount}",
    "{name} ({amount})",
    "{name} | {amount}",
    "{name} {amount}",
)
_SENTENCES = (
    "{name} is {amount}.",
    "{name} has {amount}.",
    "The {measure} of {name} is {amount}.",
    "For {name} it is {amount}.",
    "{name} is at {amount}.",
    "{name} shows {amount}.",
    "{amount} is the {measure} of {name}.",
    "{name} comes to {amount}.",
    "We see {amount} for {name}.",
    "Next is {name} with {amount}.",
)
# What a vision model also says, and nobody asks about.
_ASIDES = (
    "The background is white.",
    "A small logo stands in the corner.",
    "The bars are drawn in blue.",
    "The text is set in a plain font.",
    "Thin lines run across the picture.",
    "The picture looks like a page of a report.",
    "There are 2 notes in small print at the bottom.",
    "The legend stands on the right.",
)
_OPENINGS = (
    "The image shows a {kind} titled {title}.",
    "A {kind} of the {measure} of {count} {plural}.",
    "This {kind} gives the {measure} for each {noun}.",
    "There is a {kind} in the image. It is called {title}.",
    "In the image, {count} {plural} are compared by {measure}.",
    "{title}",
    "The {kind} has the heading {title}.",
)


def _entries(rng: random.Random, series: Series) -> str:
    style = rng.random()
    if style < 0.45:
        line = rng.choice(_LINES)
        return "\n".join(line.format(name=name, amount=amount) for name, amount in series.entries)
    if style < 0.7:
        line = rng.choice(
            ("{name} {amount}", "{name}: {amount}", "{name} ({amount})", "{amount} {name}")
        )
        shown = [line.format(name=name, amount=amount) for name, amount in series.entries]
        return rng.choice((", ", "; ")).join(shown) + "."
    kept = rng.sample(_SENTENCES, rng.choice((1, 1, 3)))
    sentences = [
        rng.choice(kept).format(name=name, amount=amount, measure=series.measure.name)
        for name, amount in series.entries
    ]
    if rng.random() < 0.5:
        sentences.insert(rng.randrange(len(sentences) + 1), rng.choice(_ASIDES))
    return " ".join(sentences)


def described(rng: random.Random, series: Series, title: str) -> str:
    """In the manner of a vision model."""
    opening = rng.choice(_OPENINGS).format(
        kind=rng.choice(
            ("bar chart", "chart", "line chart", "pie chart", "graph", "list", "table")
        ),
        title=title,
        measure=series.measure.name,
        count=len(series.entries),
        noun=series.noun,
        plural=series.plural,
    )
    return f"{opening}{rng.choice((chr(10), ' '))}{_entries(rng, series)}"


_KINDS = {"Bar chart": "bars", "Line chart": "points", "Pie chart": "slices", "Chart": "values"}


def composed(rng: random.Random, series: Series, title: str) -> str:
    """In the composer's form; `series.extremes_told` says whether it names highest and lowest."""
    kind = rng.choice(list(_KINDS))
    lines = [f"{kind}. Title: {title}." if rng.random() < 0.85 else f"{kind}."]
    if rng.random() < 0.3:
        low, high = rng.choice(((0, 50), (0, 80), (0, 100), (0, 400), (10, 60)))
        lines.append(f"Vertical axis: {series.measure.name.capitalize()}, from {low} to {high}.")
    lines.append(f"{len(series.entries)} {_KINDS[kind]} with these values:")
    lines += [f"{name}: {amount}" for name, amount in series.entries]
    if series.extremes_told:
        ordered = sorted(series.entries, key=lambda entry: entry[1].number)
        (lowest, low_amount), (highest, high_amount) = ordered[0], ordered[-1]
        lines.append(f"Highest: {highest} ({high_amount}). Lowest: {lowest} ({low_amount}).")
    return "\n".join(lines)


def composed_table(rng: random.Random, grid: Grid) -> str:
    head = f"Table. Title: {grid.title}." if rng.random() < 0.7 else "Table."
    columns = f"Columns: {', '.join((grid.corner, *grid.columns))}. {len(grid.rows)} rows."
    rows = [
        f"{name}: " + ", ".join(f"{c} {a}" for c, a in zip(grid.columns, cells, strict=True))
        for name, cells in grid.rows
    ]
    return "\n".join([head, columns, *rows])


def composed_groups(_: random.Random, grid: Grid) -> str:
    rows = composed_table(random.Random(0), grid).splitlines()[2:]
    return "\n".join(
        [
            f"Bar chart. Title: {grid.title}.",
            f"Series: {', '.join(grid.columns)}.",
            f"{len(rows)} groups of bars with these values:",
            *rows,
        ]
    )


def _rows_of_text(grid: Grid) -> list[Sequence[str]]:
    return [
        (grid.corner, *grid.columns),
        *((name, *map(str, cells)) for name, cells in grid.rows),
    ]


def read_row_by_row(_: random.Random, grid: Grid) -> str:
    rows = "\n".join(" | ".join(row) for row in _rows_of_text(grid))
    return f"Title: {grid.title}\nText in the image, row by row:\n{rows}"


def markdown_table(_: random.Random, grid: Grid) -> str:
    head, *rows = [f"| {' | '.join(row)} |" for row in _rows_of_text(grid)]
    ruler = "|" + "---|" * (len(grid.columns) + 1)
    return "\n".join([grid.title, head, ruler, *rows])


def told_table(rng: random.Random, grid: Grid) -> str:
    join = rng.choice((" and ", ", "))
    sentences = [
        f"{name} has "
        + join.join(f"{a} {c.lower()}" for c, a in zip(grid.columns, cells, strict=True))
        + "."
        for name, cells in grid.rows
    ]
    return f"The image is a table titled {grid.title}. " + " ".join(sentences)


TABLES: tuple[Callable[[random.Random, Grid], str], ...] = (
    composed_table,
    composed_table,
    composed_table,
    composed_groups,
    read_row_by_row,
    markdown_table,
    told_table,
)

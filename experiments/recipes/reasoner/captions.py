"""How a series of amounts, a table or a receipt reads: the composer's own form, and others."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiments.recipes.reasoner.lessons import Series
from experiments.recipes.reasoner.numbers import Amount


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
    "**{name}**: {amount}",
    "- **{name}:** {amount}",
    "* **{name}** - {amount}",
    "{at}. {name}: {amount}",
    "{at}. **{name}**: {amount}",
    "{at}) {name} - {amount}",
    "• {name}: {amount}",
    "• {name} – {amount}",
    "{name}\t{amount}",
    "{name} -> {amount}",
    "{name} → {amount}",
    "{name} ... {amount}",
    "{name}  {amount}",
    "| {name} | {amount} |",
    "{amount} | {name}",
    "{amount}: {name}",
    "{amount} - {name}",
    "[{name}] {amount}",
    "{name}={amount}",
    '"{name}": {amount}',
    "- {name} has a value of {amount}",
    "- {name}, with {amount}",
    "Row {at}: {name}, {amount}",
    "Row {at}: {name} | {amount}",
    "Label: {name}, value: {amount}",
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
    "{name} was at {amount}.",
    "{name} had {amount}.",
    "{name} reached {amount}.",
    "{name} stood at {amount}.",
    "{name} recorded a {measure} of {amount}.",
    "{name} has a {measure} of {amount}.",
    "The bar for {name} reaches {amount}.",
    "The bar labelled {name} stands at {amount}.",
    'The label "{name}" has the number {amount} next to it.',
    "At {name}, the {measure} is {amount}.",
    "{name} accounts for {amount}.",
    "With {amount}, {name} follows.",
    "There is {name} with {amount}.",
    "Then comes {name} ({amount}).",
    "The value shown for {name} is {amount}.",
    "{name}'s {measure} is {amount}.",
    "A {measure} of {amount} is given for {name}.",
    "Beside {name} one reads {amount}.",
    "The figure for {name} is {amount}.",
    "**{name}** is at **{amount}**.",
    "The {measure} was {amount} for {name}.",
    "In the case of {name}, {amount} is printed.",
    "{amount} was measured for {name}.",
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
    "The legend is at the bottom of the picture.",
    "Each bar has a different colour.",
    "All bars have the same colour.",
    "The bars are light grey with a dark outline.",
    "The y-axis starts at 0.",
    "The y-axis is marked in steps of 20.",
    "The numbers are printed above the bars.",
    "The labels are slightly tilted.",
    "The title is centred and set in bold.",
    "The design is clean and simple.",
    "Dotted grid lines help to read it.",
    "Overall, the picture is easy to read.",
    "There is a page number, 14, in the lower right corner.",
    "The corners of the image are rounded.",
    "The header row is shaded.",
    "There are no people in the image.",
    "The image is in landscape format.",
)
_OPENINGS = (
    "The image shows a {kind} titled {title}.",
    "A {kind} of the {measure} of {count} {plural}.",
    "This {kind} gives the {measure} for each {noun}.",
    "There is a {kind} in the image. It is called {title}.",
    "In the image, {count} {plural} are compared by {measure}.",
    "{title}",
    "The {kind} has the heading {title}.",
    "The image displays a {kind} that illustrates the {measure} of different {plural}.",
    "This image is a {kind} with the title **{title}**.",
    "**Title:** {title}",
    "# {title}",
    "Title: {title}\nType: {kind}",
    "The image presents data in the form of a {kind}, headed {title}.",
    'A {kind} with the title "{title}".',
    "The {kind} shows {count} {plural} along the x-axis; the y-axis gives the {measure}.",
    "The x-axis shows the {plural} and the y-axis shows the {measure}.",
    "Here is a {kind} titled {title}. It has {count} entries.",
    "{kind}: {title}",
    "A screenshot of a {kind}. At the top it says {title}.",
    "The legend of the {kind} lists {count} {plural}.",
    "I can see a {kind}. It is about the {measure} of each {noun}.",
    "The {kind}, {title}, was drawn with {count} {plural}.",
    "Text in the image:\n{title}",
    "The picture shows how the {measure} differed by {noun}.",
)


def _lines(rng: random.Random, series: Series) -> str:
    line = rng.choice(_LINES)
    return "\n".join(
        line.format(name=name, amount=amount, at=at)
        for at, (name, amount) in enumerate(series.entries, start=1)
    )


_INLINE = (
    "{name} {amount}",
    "{name}: {amount}",
    "{name} ({amount})",
    "{amount} {name}",
    "{name} = {amount}",
    "{name} with {amount}",
    "{name} at {amount}",
    "{amount} for {name}",
    "**{name}** ({amount})",
)
_BEFORE_INLINE = (
    "",
    "",
    "From left to right: ",
    "From top to bottom: ",
    "The values are as follows: ",
    "In order: ",
    "Clockwise, the slices are: ",
    "It reads: ",
    "The data points are: ",
    "The legend gives: ",
)


def _inline(rng: random.Random, series: Series) -> str:
    form = rng.choice(_INLINE)
    shown = [form.format(name=name, amount=amount) for name, amount in series.entries]
    before = rng.choice(_BEFORE_INLINE)
    if rng.random() < 0.4:
        return f"{before}{', '.join(shown[:-1])} and {shown[-1]}."
    return before + rng.choice((", ", "; ", " | ")).join(shown) + "."


def _one_by_one(rng: random.Random, series: Series) -> str:
    kept = rng.sample(_SENTENCES, rng.choice((1, 1, 3, 4)))
    sentences = [
        rng.choice(kept).format(name=name, amount=amount, measure=series.measure.name)
        for name, amount in series.entries
    ]
    for aside in rng.sample(_ASIDES, rng.choice((0, 1, 1, 2))):
        sentences.insert(rng.randrange(len(sentences) + 1), aside)
    return " ".join(sentences)


_PAIRS = (
    "{one} has {first}, while {other} has {second}.",
    "{one} is at {first} and {other} at {second}.",
    "{one} shows {first}, whereas {other} shows {second}.",
    "{one} and {other} have {first} and {second}, respectively.",
    "For {one} it was {first}; for {other} it was {second}.",
    "{one} came to {first}, and {other} to {second}.",
    "After {one} with {first} comes {other} with {second}.",
    "We find {first} for {one} and {second} for {other}.",
)


def _two_by_two(rng: random.Random, series: Series) -> str:
    entries = series.entries
    sentences = [
        rng.choice(_PAIRS).format(one=one, first=first, other=other, second=second)
        for (one, first), (other, second) in zip(entries[::2], entries[1::2], strict=False)
    ]
    if len(entries) % 2:
        name, amount = entries[-1]
        sentences.append(f"{rng.choice(('Finally, ', 'Last, ', ''))}{name} has {amount}.")
    return " ".join(sentences)


def _in_parallel(rng: random.Random, series: Series) -> str:
    """All names, then all amounts, as OCR reads the labels of an axis."""
    names = ", ".join(name for name, _ in series.entries)
    amounts = ", ".join(str(amount) for _, amount in series.entries)
    form = rng.choice(
        (
            "X-axis: {names}. Values, in the same order: {amounts}.",
            "The labels from left to right are {names}, and the values are {amounts}.",
            "Labels: {names}\nValues: {amounts}",
            "The {plural} are {names}. Their {measure} is {amounts}, respectively.",
        )
    )
    return form.format(
        names=names, amounts=amounts, plural=series.plural, measure=series.measure.name
    )


_ENTRIES = (_lines, _inline, _one_by_one, _two_by_two, _in_parallel)


def _entries(rng: random.Random, series: Series) -> str:
    return rng.choices(_ENTRIES, (38, 22, 22, 12, 6))[0](rng, series)


def _extremes(series: Series) -> tuple[tuple[str, Amount], tuple[str, Amount]]:
    ordered = sorted(series.entries, key=lambda entry: entry[1].number)
    return ordered[0], ordered[-1]


def _summary(rng: random.Random, series: Series) -> str:
    """What a vision model concludes with, where `series.extremes_told` says that it does."""
    if not series.extremes_told:
        return ""
    (lowest, low), (highest, high) = _extremes(series)
    form = rng.choice(
        (
            " The highest is {highest} ({high}) and the lowest is {lowest} ({low}).",
            "\nHighest: {highest} ({high}). Lowest: {lowest} ({low}).",
            " Overall, {highest} has the highest {measure} with {high}, and {lowest} the lowest "
            "with {low}.",
            " {highest} comes out highest at {high}; {lowest} is lowest at {low}.",
        )
    )
    return form.format(
        highest=highest, high=high, lowest=lowest, low=low, measure=series.measure.name
    )


def described(rng: random.Random, series: Series, title: str) -> str:
    """In the manner of a vision model."""
    opening = rng.choice(_OPENINGS).format(
        kind=rng.choice(
            (
                *("bar chart", "chart", "line chart", "pie chart", "graph", "list", "table"),
                *("bar graph", "column chart", "donut chart", "infographic", "diagram"),
                *("horizontal bar chart", "line graph", "slide", "area chart"),
            )
        ),
        title=title,
        measure=series.measure.name,
        count=len(series.entries),
        noun=series.noun,
        plural=series.plural,
    )
    body = f"{opening}{rng.choice((chr(10), chr(10), ' '))}{_entries(rng, series)}"
    return body + _summary(rng, series)


def paragraph(rng: random.Random, series: Series, title: str) -> str:
    """One paragraph in the past tense."""
    verb = rng.choice(("was", "stood at", "came to", "amounted to"))
    measure = series.measure.name
    (name, amount), *others = series.entries
    sentences = [f"{title} was the heading.", f"The {measure} of {name} {verb} {amount}."]
    links = ("{} followed with {}.", "{} had {}.", "Next, {} got {}.", "As for {}, it was {}.")
    sentences += [rng.choice(links).format(name, amount) for name, amount in others]
    if rng.random() < 0.5:
        sentences.append(rng.choice(_ASIDES))
    return " ".join(sentences) + _summary(rng, series)


def as_json(rng: random.Random, series: Series, title: str) -> str:
    indent = rng.choice((None, 2))
    told = {name: str(amount) for name, amount in series.entries}
    data: object = told
    if rng.random() < 0.4:
        data = [{series.noun: name, "value": amount} for name, amount in told.items()]
    whole = {"title": title, series.measure.name: data}
    return json.dumps(whole, ensure_ascii=False, indent=indent) + _summary(rng, series)


def two_columns(rng: random.Random, series: Series, title: str) -> str:
    """A table of a name and an amount in each row, in one of the forms of tables."""
    rows = tuple((name, (amount,)) for name, amount in series.entries)
    grid = Grid(title, series.noun.capitalize(), (series.measure.name.capitalize(),), rows)
    form = rng.choice((csv_table, html_table, markdown_table, piped_rows, read_row_by_row))
    return form(rng, grid) + _summary(rng, series)


def key_values(rng: random.Random, series: Series, title: str) -> str:
    between = rng.choice((": ", " = ", "=", " : ", "\t", ":\n"))
    lines = [f"{name}{between}{amount}" for name, amount in series.entries]
    return "\n".join([title, *lines]) + _summary(rng, series)


DESCRIBED: tuple[Callable[[random.Random, Series, str], str], ...] = (
    *(described,) * 6,
    paragraph,
    as_json,
    two_columns,
    key_values,
)


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
        (lowest, low_amount), (highest, high_amount) = _extremes(series)
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


def piped_rows(rng: random.Random, grid: Grid) -> str:
    form = rng.choice(("Row {at}: {row}", "{row}", "{at}. {row}", "Row {at} | {row}"))
    head, *rows = [" | ".join(row) for row in _rows_of_text(grid)]
    numbered = [form.format(at=at, row=row) for at, row in enumerate(rows, start=1)]
    return "\n".join([grid.title, f"Header: {head}", *numbered])


def csv_table(rng: random.Random, grid: Grid) -> str:
    # A comma alone would run into the thousands of the amounts.
    between = rng.choice((";", "\t", '","'))
    quote = '"' if between == '","' else ""
    rows = [f"{quote}{between.join(row)}{quote}" for row in _rows_of_text(grid)]
    return "\n".join([grid.title, *rows])


def html_table(_: random.Random, grid: Grid) -> str:
    head, *rows = _rows_of_text(grid)
    lines = [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows]
    heads = "".join(f"<th>{cell}</th>" for cell in head)
    caption = f"<caption>{grid.title}</caption>"
    return "\n".join(["<table>", caption, f"<tr>{heads}</tr>", *lines, "</table>"])


def json_table(_: random.Random, grid: Grid) -> str:
    head, *rows = _rows_of_text(grid)
    records = [json.dumps(dict(zip(head, row, strict=True)), ensure_ascii=False) for row in rows]
    return "\n".join([f"Table: {grid.title}", *records])


def told_by_rows(rng: random.Random, grid: Grid) -> str:
    form = rng.choice(("{c}: {a}", "{c} {a}", "{c} = {a}", "{c} ({a})", "{c} is {a}"))
    row_form = rng.choice(
        ("- **{name}**: {cells}", "Row {at}: {name}, {cells}", "{at}. {name} - {cells}",
         "{name} has {cells}.", "In the row {name} we read {cells}.", "* {name} | {cells}")
    )  # fmt: skip
    rows = [
        row_form.format(
            name=name,
            at=at,
            cells=", ".join(
                form.format(c=c, a=a) for c, a in zip(grid.columns, cells, strict=True)
            ),
        )
        for at, (name, cells) in enumerate(grid.rows, start=1)
    ]
    opening = f"The table {grid.title} has the columns {', '.join((grid.corner, *grid.columns))}."
    return "\n".join([opening, *rows])


def told_by_columns(rng: random.Random, grid: Grid) -> str:
    form = rng.choice(("{name} {a}", "{name}: {a}", "{name} ({a})", "{name} = {a}"))
    opening = rng.choice(("{c}: {cells}", "**{c}**: {cells}", "In the column {c}: {cells}."))
    columns = [
        opening.format(
            c=c, cells="; ".join(form.format(name=name, a=cells[at]) for name, cells in grid.rows)
        )
        for at, c in enumerate(grid.columns)
    ]
    return "\n".join([f"Title: {grid.title}", *columns])


def told_as_cards(rng: random.Random, grid: Grid) -> str:
    heading = rng.choice(("## {name}", "**{name}**", "{corner}: {name}", "[{name}]"))
    cards = [
        "\n".join(
            [
                heading.format(name=name, corner=grid.corner),
                *(f"{c}: {a}" for c, a in zip(grid.columns, cells, strict=True)),
            ]
        )
        for name, cells in grid.rows
    ]
    return rng.choice(("\n", "\n\n")).join([grid.title, *cards])


def told_groups(rng: random.Random, grid: Grid) -> str:
    """A grouped bar chart with a legend."""
    sentences = [
        f"For {name}, "
        + " and ".join(f"{c} is at {a}" for c, a in zip(grid.columns, cells, strict=True))
        + "."
        for name, cells in grid.rows
    ]
    kind = rng.choice(("grouped bar chart", "stacked bar chart", "line chart with several lines"))
    legend = f"The legend shows {', '.join(grid.columns)}."
    return f"The image is a {kind} titled {grid.title}. {legend} {' '.join(sentences)}"


TABLES: tuple[Callable[[random.Random, Grid], str], ...] = (
    composed_table,
    composed_table,
    composed_table,
    composed_groups,
    read_row_by_row,
    markdown_table,
    told_table,
    piped_rows,
    csv_table,
    html_table,
    json_table,
    told_by_rows,
    told_by_rows,
    told_by_columns,
    told_as_cards,
    told_groups,
)

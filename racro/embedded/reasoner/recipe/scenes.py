"""Scenes: a caption and the lessons about it. Drawn from a seed, never from the held-out set."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from racro.contracts.prompts import NOT_TOLD
from racro.embedded.reasoner.recipe import figures, lessons, sheets
from racro.embedded.reasoner.recipe.captions import (
    TABLES,
    Grid,
    composed,
    composed_table,
    described,
)
from racro.embedded.reasoner.recipe.lessons import MEASURES, Lesson, Measure, Series
from racro.embedded.reasoner.recipe.words import (
    COLUMNS,
    GOODS,
    SHOPS,
    invented_names,
    some_names,
)

_MOST = ("highest", "greatest", "best")
_LEAST = ("lowest", "smallest")


@dataclass(frozen=True)
class Scene:
    caption: str
    lessons: tuple[Lesson, ...]


def _series(rng: random.Random, most: int = 7) -> tuple[Series, str]:
    """(a series, a name that is not in it)."""
    count = rng.randint(3, most)
    noun, plural, names = some_names(rng, count)
    absent = invented_names(rng, 1)[0]
    measure = rng.choice(MEASURES)
    amounts = measure.amounts(rng, count)
    entries = tuple(zip(names, amounts, strict=True))
    return Series(noun, plural, measure, entries), absent


_TITLE_OF = (
    "What is the title of the chart?",
    "What is it called?",
    "What does the heading say?",
    "What is this chart about?",
)


def _title(rng: random.Random, series: Series) -> str:
    measure = series.measure.name
    return rng.choice(
        (
            f"{measure.capitalize()} by {series.noun}",
            f"{measure.capitalize()} of {series.plural}",
            f"{series.plural.capitalize()} and their {measure}",
            f"{measure.capitalize()} per {series.noun}",
            f"{' '.join(invented_names(rng, 1))} report",
        )
    )


# Of one scene: more would crowd the other scenes out.
_MOST_LESSONS = 8
# How often each kind of lesson is asked of a scene: hard ones oftener.
_ASKED: tuple[tuple[Callable[[random.Random, Series, str], Lesson | None], float], ...] = (
    (lambda rng, series, _: lessons.value_of(rng, series), 0.9),
    (lambda rng, series, _: lessons.name_of(rng, series), 0.4),
    (lambda rng, series, _: lessons.extreme(rng, series), 0.9),
    (lambda rng, series, _: lessons.sum_of(rng, series), 0.8),
    (lambda rng, series, _: lessons.difference(rng, series), 0.7),
    (lambda rng, series, _: lessons.count(rng, series), 0.35),
    (lambda rng, series, _: lessons.count_beyond(rng, series), 0.4),
    (lambda rng, series, _: lessons.more_than(rng, series), 0.45),
    (lambda rng, series, _: lessons.is_value(rng, series), 0.25),
    (lambda rng, series, _: lessons.is_beyond(rng, series), 0.25),
    (lessons.is_there, 0.15),
    (lessons.absent_name, 0.45),
    (lambda rng, series, _: lessons.other_attribute(rng, series), 0.45),
)
# Not of a receipt: that one prints its total.
_TOTAL_ASKED = 0.15
_CHOSEN = (lessons.value_of, lessons.name_of, lessons.extreme, lessons.sum_of, lessons.difference)


def _lessons_of(
    rng: random.Random, series: Series, absent: str, *, total_printed: bool = False
) -> list[Lesson]:
    found = [ask(rng, series, absent) for ask, share in _ASKED if rng.random() < share]
    if not total_printed and rng.random() < _TOTAL_ASKED:
        found.append(lessons.sum_of_all(rng, series))
    if rng.random() < 0.5:
        lesson = rng.choice(_CHOSEN)(rng, series)
        found.append(lesson and lessons.choice(rng, series, lesson))
    return [lesson for lesson in found if lesson is not None]


def _chart(rng: random.Random) -> Scene:
    series, absent = _series(rng)
    title = _title(rng, series)
    if rng.random() < 0.5:
        distinct = len({amount.number for _, amount in series.entries}) == len(series.entries)
        told = distinct and rng.random() < 0.75
        series = replace(series, extremes_told=told, count_told=True)
        caption = composed(rng, series, title)
    else:
        caption = described(rng, series, title)
    asked = _lessons_of(rng, series, absent)
    if series.measure.name not in caption.lower():
        # Nothing tells what is measured: it may well be what an "other" attribute asks for.
        asked = [one for one in asked if one.asks != "unanswerable" or absent in one.question]
    if title in caption and rng.random() < 0.2:
        asked.append(Lesson("lookup", rng.choice(_TITLE_OF), f"Title: {title}.", title))
    return Scene(caption, tuple(asked))


def _receipt(rng: random.Random) -> Scene:
    names = rng.sample(GOODS, rng.randint(2, 5))
    measure = Measure("price", ("most expensive", "dearest"), ("cheapest",), high=20, places=2)
    sign = rng.choice(("", "", "$", "€"))
    amounts = [replace(amount, prefix=sign) for amount in measure.amounts(rng, len(names))]
    series = Series("item", "items", measure, tuple(zip(names, amounts, strict=True)))
    total = amounts[0].of(sum((amount.number for amount in amounts), Decimal(0)))
    word = rng.choice(("TOTAL", "Total", "Total due", "Amount due"))
    lines = [f"{name}: {amount}" for name, amount in (*series.entries, (word, total))]
    if rng.random() < 0.3:
        lines = [line.replace(": ", " | ") for line in lines]
        head = ["Text in the image, row by row:", rng.choice(SHOPS)]
    else:
        head = [rng.choice(("Receipt.", "A receipt from a shop.")), rng.choice(SHOPS)]
    question = rng.choice(
        ("What is the total?", "How much was paid in all?", "What does everything cost?",
         "What is the total on the receipt?", "How much is the whole bill?",
         "What is the amount due?", "How much money was spent?")
    )  # fmt: skip
    absent = rng.choice([good for good in GOODS if good not in names])
    asked = _lessons_of(rng, series, absent, total_printed=True)
    asked.append(Lesson("lookup", question, f"{word}: {total}.", str(total)))
    return Scene("\n".join(head + lines), tuple(asked))


def _grid(rng: random.Random) -> tuple[Grid, list[Series], str]:
    noun, plural, names = some_names(rng, rng.randint(3, 5))
    columns = rng.sample(COLUMNS, rng.randint(2, 3))
    if rng.random() < 0.3:
        columns = some_names(rng, len(columns))[2]
        while set(columns) & set(names):
            columns = invented_names(rng, len(columns))
    measures = [
        Measure(column.lower(), _MOST, _LEAST, column.lower(), high=rng.choice((9, 99, 99)))
        for column in columns
    ]
    cells = zip(*(measure.amounts(rng, len(names)) for measure in measures), strict=True)
    rows = tuple(zip(names, cells, strict=True))
    title = rng.choice(
        (f"{plural.capitalize()} overview", f"List of {plural}", f"{noun.capitalize()} table")
    )
    series = [
        Series(
            noun,
            plural,
            measure,
            tuple((name, cells[at]) for name, cells in rows),
            column=column,
        )
        for at, (column, measure) in enumerate(zip(columns, measures, strict=True))
    ]
    return Grid(title, noun.capitalize(), tuple(columns), rows), series, invented_names(rng, 1)[0]


def _table(rng: random.Random) -> Scene:
    grid, columns, absent = _grid(rng)
    form = rng.choice(TABLES)
    asked = [
        lesson
        for series in columns
        for lesson in _lessons_of(rng, replace(series, count_told=form is composed_table), absent)
    ]
    return Scene(form(rng, grid), tuple(asked))


def _unprinted(rng: random.Random) -> Scene:
    series, absent = _series(rng)
    names = [name for name, _ in series.entries]
    kind = rng.choice(("Bar chart", "Line chart", "Pie chart"))
    caption = rng.choice(
        (
            f"{kind}. Title: {_title(rng, series)}. Labels: {', '.join(names)}. "
            "The values are not printed.",
            f"A {kind.lower()} with {', '.join(names)}. No values are written on it.",
        )
    )
    asked = [
        lessons.count(rng, series),
        lessons.is_there(rng, series, absent),
        *(
            replace(
                told, reasoning="The values are not printed.", boxed=NOT_TOLD,
                asks="unanswerable",
            )
            for told in (
                lessons.value_of(rng, series),
                lessons.extreme(rng, series),
                lessons.difference(rng, series),
            )
            if told is not None
        ),
    ]  # fmt: skip
    return Scene(caption, tuple(rng.sample(asked, 3)))


_SCENES: tuple[tuple[Callable[[random.Random], Scene], float], ...] = (
    (_chart, 0.42),
    (_table, 0.13),
    (_receipt, 0.08),
    (lambda rng: Scene(*figures.figure(rng)), 0.17),
    (lambda rng: Scene(*sheets.sheet(rng)), 0.15),
    (_unprinted, 0.05),
)


def scenes(seed: int) -> Iterator[Scene]:
    """Without end; the same seed gives the same scenes."""
    rng = random.Random(seed)
    makers, shares = zip(*_SCENES, strict=True)
    while True:
        scene = rng.choices(makers, shares)[0](rng)
        kept = [one for one in scene.lessons if not lessons.contradicts(one, scene.caption)]
        if kept:
            rng.shuffle(kept)
            yield replace(scene, lessons=tuple(kept[:_MOST_LESSONS]))

"""Scenes: a caption and the lessons about it. Drawn from a seed, never from the held-out set."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from experiments.recipes.reasoner import figures, lessons, sheets
from experiments.recipes.reasoner.captions import (
    DESCRIBED,
    TABLES,
    Grid,
    composed,
    composed_table,
    described,
    key_values,
)
from experiments.recipes.reasoner.lessons import MEASURES, Lesson, Measure, Series
from experiments.recipes.reasoner.words import (
    COLUMNS,
    GOODS,
    PEOPLE,
    SHOPS,
    invented_names,
    some_names,
)
from racro.contracts.prompts import NOT_TOLD

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
    year = rng.randint(1998, 2026)
    place = invented_names(rng, 1)[0]
    return rng.choice(
        (
            f"{measure.capitalize()} by {series.noun}",
            f"{measure.capitalize()} of {series.plural}",
            f"{series.plural.capitalize()} and their {measure}",
            f"{measure.capitalize()} per {series.noun}",
            f"{place} report",
            f"{measure.capitalize()} in {place}",
            f"{place} in figures, {year}",
            f"{measure.upper()} BY {series.noun.upper()}",
            f"Comparing {series.plural} by {measure}",
            f"Our {series.plural} at a glance",
            f"{measure.capitalize()} across all {series.plural} ({year})",
            f"Survey of {series.plural} in {place}",
            f"{place} Yearbook {year}",
            f"The {series.plural} of {place}",
            f"{series.noun.capitalize()} statistics",
            f"How {series.plural} compare",
        )
    )


# Of one scene: more would crowd the other scenes out.
_MOST_LESSONS = 8
# How often each kind of lesson is asked of a scene: hard ones oftener.
_ASKED: tuple[tuple[Callable[[random.Random, Series, str], Lesson | None], float], ...] = (
    (lambda rng, series, _: lessons.value_of(rng, series), 0.9),
    (lambda rng, series, _: lessons.name_of(rng, series), 0.4),
    (lambda rng, series, _: lessons.extreme(rng, series), 0.75),
    (lambda rng, series, _: lessons.extreme_of_some(rng, series), 0.35),
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


def _ordered_anew(rng: random.Random, series: Series) -> Series:
    """At times in the order of the amounts, or in none."""
    entries = list(series.entries)
    if rng.random() < 0.15:
        entries.sort(key=lambda entry: entry[1].number, reverse=rng.random() < 0.7)
    elif rng.random() < 0.15:
        rng.shuffle(entries)
    return replace(series, entries=tuple(entries))


def _distinct(series: Series) -> bool:
    return len({amount.number for _, amount in series.entries}) == len(series.entries)


def _of_these(asked: list[Lesson], absent: str) -> list[Lesson]:
    """Without those on another attribute: what is told besides might answer them."""
    return [one for one in asked if one.asks != "unanswerable" or absent in one.question]


def _chart(rng: random.Random) -> Scene:
    series, absent = _series(rng)
    series = _ordered_anew(rng, series)
    title = _title(rng, series)
    if rng.random() < 0.4:
        told = _distinct(series) and rng.random() < 0.75
        series = replace(series, extremes_told=told, count_told=True)
        caption = composed(rng, series, title)
    else:
        told = _distinct(series) and rng.random() < 0.15
        series = replace(series, extremes_told=told)
        caption = rng.choice(DESCRIBED)(rng, series, title)
    asked = _lessons_of(rng, series, absent)
    if series.measure.name not in caption.lower():
        # Nothing tells what is measured: it may well be what an "other" attribute asks for.
        asked = _of_these(asked, absent)
    if title in caption and rng.random() < 0.2:
        asked.append(Lesson("lookup", rng.choice(_TITLE_OF), f"Title: {title}.", title))
    return Scene(caption, tuple(asked))


_BEFORE = (
    "The image is a photo of a poster on a wall in {place}.",
    "A person stands to the left and points at a board.",
    "At the top there is a header with the word {place}.",
    "The screenshot shows a web page with a menu, a search box and a picture.",
    "On the left half there is text in two columns.",
    "A page of a magazine with a photo of a street.",
    "The slide has the number {number} in a corner.",
    "There is a blue banner that says Welcome to {place}.",
)
_AFTER = (
    "Below it there is a paragraph of small text that cannot be read.",
    "Under the picture it says see page {number}.",
    "A second picture shows a bridge over a river.",
    "At the bottom there is a button with the word Next.",
    "A cup and a pair of glasses lie on the table in front of it.",
    "The rest of the page is empty.",
    "To the right, a photo shows two people shaking hands.",
    "A small map of {place} is printed next to it.",
)


def _mixed(rng: random.Random) -> Scene:
    """A chart among what has nothing to do with it."""
    series, absent = _series(rng)
    series = _ordered_anew(rng, series)
    place = invented_names(rng, 1)[0]
    around = [
        " ".join(rng.sample(sentences, rng.choice((1, 1, 2)))) for sentences in (_BEFORE, _AFTER)
    ]
    before, after = (one.format(place=place, number=rng.randint(2, 60)) for one in around)
    caption = described(rng, series, _title(rng, series))
    asked = _of_these(_lessons_of(rng, series, absent), absent)
    return Scene(f"{before}\n{caption}\n{after}", tuple(asked))


def _priced(rng: random.Random, names: list[str]) -> Series:
    measure = Measure(
        "price",
        ("most expensive", "dearest", "costliest"),
        ("cheapest", "least expensive"),
        prefix=rng.choice(("", "$", "€", "£")),
        high=rng.choice((12, 30)),
        places=rng.choice((2, 2, 0)),
    )
    amounts = measure.amounts(rng, len(names))
    return Series("item", "items", measure, tuple(zip(names, amounts, strict=True)))


_DISHES = (
    "Tomato soup", "Onion soup", "Garden salad", "Grilled trout", "Roast chicken", "Ravioli",
    "Cheese omelette", "Lemon tart", "Chocolate mousse", "Fruit sorbet", "Iced tea", "Espresso",
    "Lemonade", "Garlic bread", "Beef burger", "Veggie wrap", "Pancakes", "Potato wedges",
)  # fmt: skip
_SERVICES = (
    "Haircut", "Car wash", "Oil change", "Guided tour", "Child ticket", "Adult ticket",
    "Family ticket", "Locker", "Bicycle hire", "Boat trip", "Swimming lesson", "Piano lesson",
    "Photo print", "Parking", "Towel", "Day pass", "Season ticket", "Audio guide",
)  # fmt: skip


def _price_list(rng: random.Random) -> Scene:
    offered, heading = rng.choice(
        ((_DISHES, "Menu"), (_DISHES, "Today's dishes"), (_SERVICES, "Price list"),
         (_SERVICES, "Our prices"), (GOODS, "This week's offers"), (GOODS, "Prices"))
    )  # fmt: skip
    absent, *names = rng.sample(offered, rng.randint(4, 8))
    series = _priced(rng, names)
    title = rng.choice((heading, heading.upper(), f"{rng.choice(SHOPS)} - {heading}"))
    lines = rng.choice(
        ("{name} {amount}", "{name} ..... {amount}", "{name} - {amount}", "{amount} {name}",
         "* {name}: {amount}", "{name}\n{amount}", "**{name}** {amount}", "{name} | {amount}")
    )  # fmt: skip
    shown = [lines.format(name=name, amount=amount) for name, amount in series.entries]
    head = rng.choice(("", "A board with prices.\n", "The image shows a list of prices.\n"))
    caption = "\n".join([f"{head}{title}", *shown])
    return Scene(caption, tuple(_of_these(_lessons_of(rng, series, absent), absent)))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


_STARTS = (
    "When does {name} start?",
    "At what time does {name} begin?",
    "What is the starting time of {name}?",
    "{name}: when does it start?",
)
_AT_TIME = ("What starts at {time}?", "What is planned for {time}?", "What is on at {time}?")
_EVENTS = (
    "Yoga", "Choir", "Chess club", "Book club", "Spanish", "Chemistry", "Drawing", "Opening speech",
    "Workshop", "Lunch", "Coffee break", "Panel talk", "Football", "Swimming", "Drama club",
    "Assembly", "Latin", "Dance class", "Robotics", "Story time",
)  # fmt: skip


def _schedule(rng: random.Random) -> Scene:
    absent, *names = rng.sample(_EVENTS, rng.randint(4, 7))
    measure = Measure("duration", ("longest",), ("shortest",), suffix=" min", low=15, high=95)
    entries = tuple(zip(names, measure.amounts(rng, len(names)), strict=True))
    series = Series("event", "events", measure, entries)
    at = sorted(rng.sample(range(8 * 12, 20 * 12), len(names)))
    times = [_clock(5 * one) for one in at]
    line = rng.choice(
        ("{time} {name} ({amount})", "{time} | {name} | {amount}", "- {time}: {name}, {amount}",
         "{name} starts at {time} and lasts {amount}.", "{name}, {time}, {amount}",
         "**{time}** {name} - duration {amount}", "At {time} there is {name} for {amount}.")
    )  # fmt: skip
    shown = [
        line.format(time=time, name=name, amount=amount)
        for time, (name, amount) in zip(times, entries, strict=True)
    ]
    head = rng.choice(("Timetable", "Schedule for today", "Programme", "A schedule is shown."))
    asked = _of_these(_lessons_of(rng, series, absent), absent)
    name, time = rng.choice(list(zip(names, times, strict=True)))
    asked += [
        Lesson("lookup", rng.choice(_STARTS).format(name=name), f"{name}: {time}.", time),
        Lesson("lookup", rng.choice(_AT_TIME).format(time=time), f"{name}: {time}.", name),
        lessons.not_told(rng.choice(_STARTS).format(name=absent), absent),
    ]
    return Scene("\n".join([head, *shown]), tuple(asked))


_FIELDS = {
    "Model": ("Alto 3", "Compact", "Classic", "Trail"),
    "Colour": ("dark green", "silver", "navy blue", "cream"),
    "Language": ("English", "Dutch", "Italian"),
    "Category": ("household", "outdoor", "office", "kitchen"),
    "Status": ("approved", "in progress", "closed", "draft"),
    "Made of": ("steel", "oak wood", "recycled plastic"),
    "Delivery": ("by post", "collected in the shop", "express"),
    "Certificate": ("yes, class II", "pending", "gold"),
}
_PARTS = (
    ("part", "Lid", "Base", "Frame", "Handle", "Battery", "Cover", "Packaging", "Left panel",
     "Right panel", "Cable"),
    ("nutrient", "Protein", "Fat", "Sugars", "Fibre", "Salt", "Starch", "Calcium", "Iron", "Zinc"),
)  # fmt: skip


def _key_value_sheet(rng: random.Random) -> Scene:
    noun, *parts = rng.choice(_PARTS)
    absent, *names = rng.sample(parts, rng.randint(4, 7))
    suffix = rng.choice((" g", " kg", " mg"))
    measure = Measure("weight", ("heaviest",), ("lightest",), suffix=suffix, high=60)
    entries = tuple(zip(names, measure.amounts(rng, len(names)), strict=True))
    series = Series(noun, f"{noun}s", measure, entries)
    caption = key_values(rng, series, f"{invented_names(rng, 1)[0]} data sheet")
    fields = {key: rng.choice(_FIELDS[key]) for key in rng.sample(list(_FIELDS), 3)}
    caption += "".join(f"\n{key}: {value}" for key, value in fields.items())
    # How many parts there are is anybody's guess, with the fields among them.
    asked = [
        one
        for one in _of_these(_lessons_of(rng, series, absent), absent)
        if "= count:" not in one.boxed
    ]
    missing = rng.choice([key for key in _FIELDS if key not in fields])
    key, value = rng.choice(list(fields.items()))
    asked += [
        Lesson("lookup", _of_field(rng, key), f"{key}: {value}.", value),
        lessons.not_told(_of_field(rng, missing), missing),
    ]
    return Scene(caption, tuple(asked))


def _of_field(rng: random.Random, key: str) -> str:
    return rng.choice(
        (f'What is given under "{key}"?', f'What does the sheet say for "{key}"?',
         f"Which entry follows {key}?", f"Read the field {key}.")
    )  # fmt: skip


_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")
_PLAYED = (
    Measure(
        "score", ("highest", "best"), ("lowest", "worst"), "points", suffix=" points", high=900
    ),
    Measure("score", ("highest", "best"), ("lowest", "worst"), "points", suffix=" pts"),
    Measure("score", ("highest", "best"), ("lowest", "worst"), "points", high=3000),
    Measure("number of wins", ("highest", "most successful"), ("lowest",), "wins", high=60),
    Measure("number of votes", ("highest", "most popular"), ("lowest",), "votes", high=900),
)


def _ranking(rng: random.Random) -> Scene:
    noun, plural = rng.choice((("player", "players"), ("team", "teams"), ("runner", "runners")))
    count = rng.randint(3, 6)
    names = invented_names(rng, count) if rng.random() < 0.3 else rng.sample(PEOPLE, count)
    measure = rng.choice(_PLAYED)
    amounts = measure.amounts(rng, len(names))
    while len({amount.number for amount in amounts}) < len(names):
        amounts = measure.amounts(rng, len(names))
    amounts.sort(key=lambda amount: amount.number, reverse=True)
    series = Series(noun, plural, measure, tuple(zip(names, amounts, strict=True)))
    line = rng.choice(
        ("{at}. {name} {amount}", "{at}. {name}: {amount}", "{at}) {name} ({amount})",
         "#{at} {name} - {amount}", "Rank {at}: {name}, {amount}", "{at} | {name} | {amount}")
    )  # fmt: skip
    ranked = list(enumerate(series.entries, start=1))
    shown = [line.format(at=at, name=name, amount=amount) for at, (name, amount) in ranked]
    head = rng.choice(("Leaderboard", "Final ranking", "TOP LIST", "The image shows a ranking."))
    absent = invented_names(rng, 1)[0]
    asked = _of_these(_lessons_of(rng, series, absent), absent)
    at, (name, amount) = rng.choice(ranked)
    question = rng.choice(
        (f"Who is in {_PLACES[at - 1]} place?", f"Which {noun} is ranked number {at}?",
         f"Who came {_PLACES[at - 1]}?", f"Which {noun} holds place {at}?")
    )  # fmt: skip
    asked += [
        Lesson("lookup", question, f"{at}. {name} {amount}.", name),
        Lesson("lookup", f"What place did {name} take?", f"{at}. {name} {amount}.", str(at)),
    ]
    return Scene("\n".join([head, *shown]), tuple(asked))


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
    (_chart, 0.34),
    (_table, 0.16),
    (_receipt, 0.05),
    (_price_list, 0.04),
    (_schedule, 0.03),
    (_key_value_sheet, 0.03),
    (_ranking, 0.04),
    (_mixed, 0.04),
    (lambda rng: Scene(*figures.figure(rng)), 0.13),
    (lambda rng: Scene(*sheets.sheet(rng)), 0.11),
    (_unprinted, 0.03),
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

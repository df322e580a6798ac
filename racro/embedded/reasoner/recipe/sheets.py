"""Scenes of text: questions with their options on the sheet, timetables, signs."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from racro.embedded.reasoner.recipe.lessons import Lesson, chosen, not_told, options_text
from racro.embedded.reasoner.recipe.words import GOODS, invented_names, some_names

Sheet = tuple[str, tuple[Lesson, ...]]

_HEAD = "Text in the image, row by row:\n"
_ASKED = (
    "Which option is correct?",
    "Which answer is right?",
    "Choose the correct option.",
    "What is the right choice?",
    "Solve it. Which letter?",
    "Answer the question in the picture.",
)


def _speed(rng: random.Random) -> tuple[str, str, int, str]:
    hours, speed = rng.randint(2, 6), rng.randint(2, 12) * 10
    who = rng.choice(("train", "car", "bus", "cyclist"))
    text = f"A {who} travels {hours * speed} km in {hours} hours.\nWhat is its average speed?"
    return text, f"= {hours * speed} / {hours}", speed, " km/h"


def _cost(rng: random.Random) -> tuple[str, str, int, str]:
    count, price = rng.randint(2, 9), rng.randint(2, 12)
    good = rng.choice(GOODS).lower()
    text = f"One {good} costs ${price}.\nHow much do {count} cost?"
    return text, f"= {count} × {price}", count * price, " dollars"


def _left(rng: random.Random) -> tuple[str, str, int, str]:
    had, gave = rng.randint(10, 30), rng.randint(2, 9)
    who = rng.choice(("Anna", "Ben", "Emma", "Paul", "Sarah"))
    text = f"{who} has {had} marbles and gives away {gave}.\nHow many are left?"
    return text, f"= {had} - {gave}", had - gave, ""


def _times(rng: random.Random) -> tuple[str, str, int, str]:
    one, other = rng.randint(2, 12), rng.randint(2, 12)
    return f"What is {one} × {other}?", f"= {one} × {other}", one * other, ""


def _plus(rng: random.Random) -> tuple[str, str, int, str]:
    one, other = rng.randint(2, 40), rng.randint(2, 9)
    return f"{one} + {other} = ?", f"= {one} + {other}", one + other, ""


_PROBLEMS = (_speed, _speed, _cost, _left, _times, _plus)


def _multiple_choice(rng: random.Random) -> Sheet:
    text, formula, answer, unit = rng.choice(_PROBLEMS)(rng)
    wrong = {answer + rng.choice((-20, -10, -5, -2, 2, 5, 10, 20, answer)) for _ in range(6)}
    wrong = {one for one in wrong if one > 0 and one != answer}
    numbers = [answer, *rng.sample(sorted(wrong), min(3, len(wrong)))]
    rng.shuffle(numbers)
    texts = [f"{number}{unit}" for number in numbers]
    options = options_text(rng, texts)
    if rng.random() < 0.75:
        caption, question = f"{_HEAD}{text}\n{options}", rng.choice(_ASKED)
    else:
        caption, question = f"{_HEAD}{text}", f"{rng.choice(_ASKED)} {options}"
    found = [Lesson("choice", question, *chosen("", formula, texts))]
    if rng.random() < 0.3 and caption.endswith(options):
        found.append(
            Lesson("counting", "How many options are given?", f"Up to {'ABCDE'[len(numbers) - 1]}.",
                   str(len(numbers)))
        )  # fmt: skip
    return caption, tuple(found)


def _time(rng: random.Random) -> str:
    return f"{rng.randint(6, 21):02}:{rng.randint(0, 11) * 5:02}"


def _timetable(rng: random.Random) -> Sheet:
    towns = invented_names(rng, rng.randint(3, 5)) if rng.random() < 0.5 else some_names(rng, 4)[2]
    times = sorted({_time(rng) for _ in range(len(towns) + 4)})[: len(towns)]
    platforms = [str(rng.randint(1, 12)) for _ in towns]
    rows = list(zip(times, towns, platforms, strict=False))
    if rng.random() < 0.5:
        lines = [f"{t}: Destination {d}, Platform {p}" for t, d, p in rows]
        caption = "Table.\nColumns: Time, Destination, Platform.\n" + "\n".join(lines)
    else:
        caption = f"{_HEAD}DEPARTURES\nTime | Destination | Platform\n" + "\n".join(
            " | ".join(row) for row in rows
        )
    time, town, platform = rng.choice(rows)
    absent = invented_names(rng, 1)[0]
    when = rng.choice(
        ("When does the train to {town} leave?", "At what time is the departure to {town}?",
         "What time does it go to {town}?", "When is the bus to {town}?")
    )  # fmt: skip
    where = rng.choice(
        ("From which platform does the train to {town} leave?", "Which platform is for {town}?",
         "What platform does the one to {town} use?", "On which platform is the {town} train?")
    )  # fmt: skip
    which = rng.choice(("Where does the {time} go?", "What is the destination of the {time}?"))
    return caption, (
        Lesson("lookup", when.format(town=town), f"{town}: {time}.", time),
        Lesson("lookup", where.format(town=town), f"{town}, Platform: {platform}.", platform),
        Lesson("lookup", which.format(time=time), f"{time}: {town}.", town),
        not_told(when.format(town=absent), absent),
    )


def _sign(rng: random.Random) -> Sheet:
    opens, closes = sorted(rng.sample(range(6, 22), 2))
    adult = rng.randint(8, 30)
    child = rng.randint(2, adult - 3)
    place = rng.choice(("Town Hall", "City Pool", "Zoo", "Library", "Castle", "Gym"))
    lines = [place, f"Open {opens}:00 - {closes}:00", f"Adults ${adult}", f"Children ${child}"]
    caption = rng.choice(
        (
            _HEAD + "\n".join(lines),
            f"A sign of the {place.lower()}. It is open from {opens}:00 to {closes}:00. "
            f"Adults pay ${adult}, children ${child}.",
        )
    )
    return caption, (
        Lesson("lookup", "When does it open?", f"Opens {opens}:00.", f"{opens}:00"),
        Lesson("lookup", "When does it close?", f"Closes {closes}:00.", f"{closes}:00"),
        Lesson("lookup", "What do children pay?", f"Children: ${child}.", f"${child}"),
        Lesson("lookup", "How much is an adult ticket?", f"Adults: ${adult}.", f"${adult}"),
        Lesson(
            "arithmetic",
            "What do one adult and one child pay together?",
            f"Adults ${adult}, children ${child}.",
            f"= ${adult} + ${child}",
        ),
        not_told(
            rng.choice(("What do pensioners pay?", "What do pensioners pay to enter?")),
            "Pensioners",
        ),
        not_told(rng.choice(("Who runs it?", "Who is the manager?")), "A name"),
    )


@dataclass(frozen=True)
class _Attribute:
    name: str
    told: str
    questions: tuple[str, ...]
    value: Callable[[random.Random], str]


def _surname(rng: random.Random) -> str:
    return f"{rng.choice(('A', 'B', 'C', 'J', 'M', 'R'))}. {invented_names(rng, 1)[0]}"


def _number(low: int, high: int, unit: str = "") -> Callable[[random.Random], str]:
    return lambda rng: f"{rng.randint(low, high)}{unit}"


_ATTRIBUTES = (
    _Attribute("Owner", "Its owner is {}.", ("Who is the owner?", "Who owns it?"), _surname),
    _Attribute("Teacher", "The teacher is {}.", ("Who is the teacher?", "Who teaches?"), _surname),
    _Attribute("Author", "The author is {}.", ("Who is the author?", "Who wrote it?"), _surname),
    _Attribute("Driver", "The driver is {}.", ("Who is the driver?", "Who drives?"), _surname),
    _Attribute("Built", "It was built in {}.",
               ("When was it built?", "In which year was it built?"), _number(1850, 2020)),
    _Attribute("Length", "It is {} long.", ("How long is it?", "What is its length?"),
               _number(2, 90, " m")),
    _Attribute("Height", "It is {} high.", ("How high is it?", "What is its height?"),
               _number(2, 90, " m")),
    _Attribute("Weight", "It weighs {}.", ("How much does it weigh?", "What is its weight?"),
               _number(2, 90, " kg")),
    _Attribute("Price", "It costs {}.", ("How much does it cost?", "What is the price?"),
               _number(2, 900, " dollars")),
    _Attribute("Seats", "It has {} seats.", ("How many seats does it have?", "How many seats?"),
               _number(2, 90)),
    _Attribute("Room", "It is in room {}.", ("Which room is it in?", "What is the room?"),
               _number(1, 400)),
    _Attribute("Phone", "The phone number is {}.", ("What is the phone number?",),
               _number(100000, 999999)),
    _Attribute("Colour", "Its colour is {}.", ("What colour is it?", "Which colour does it have?"),
               lambda rng: rng.choice(("red", "blue", "green", "yellow", "white", "black"))),
    _Attribute("Material", "It is made of {}.", ("What is it made of?", "Which material is used?"),
               lambda rng: rng.choice(("wood", "steel", "stone", "glass", "paper"))),
    _Attribute("Town", "It stands in {}.", ("Where does it stand?", "In which town is it?"),
               lambda rng: invented_names(rng, 1)[0]),
    _Attribute("Date", "The date is {}.", ("What is the date?", "On what date is it?"),
               lambda rng: f"{rng.randint(1, 28)} {rng.choice(('March', 'May', 'October'))}"),
    _Attribute("Start", "It starts at {}.", ("When does it start?", "At what time does it begin?"),
               _time),
    _Attribute("End", "It ends at {}.", ("When does it end?", "At what time is it over?"), _time),
    _Attribute("Language", "The language is {}.", ("In which language is it?",),
               lambda rng: rng.choice(("English", "French", "Spanish", "German"))),
)  # fmt: skip


def _record(rng: random.Random) -> Sheet:
    """A card about one thing."""
    chosen = rng.sample(_ATTRIBUTES, rng.randint(4, 7))
    told, untold = chosen[:-2], chosen[-2:]
    values = [(attribute, attribute.value(rng)) for attribute in told]
    thing = invented_names(rng, 1)[0]
    style = rng.random()
    if style < 0.4:
        caption = f"{thing}. " + " ".join(one.told.format(value) for one, value in values)
    elif style < 0.7:
        separator = rng.choice((": ", " | ", " = ", " - "))
        lines = [f"{one.name}{separator}{value}" for one, value in values]
        caption = "\n".join([rng.choice((_HEAD, "")) + thing, *lines])
    else:
        caption = f"{thing}; " + "; ".join(f"{one.name.lower()} {value}" for one, value in values)
    found = [
        Lesson("lookup", rng.choice(one.questions), f"{one.name}: {value}.", value)
        for one, value in values
    ]
    found += [not_told(rng.choice(one.questions), one.name) for one in untold]
    return caption, tuple(found)


_SHEETS: tuple[Callable[[random.Random], Sheet], ...] = (
    _multiple_choice, _multiple_choice, _timetable, _sign, _record, _record,
)  # fmt: skip


def sheet(rng: random.Random) -> Sheet:
    return rng.choice(_SHEETS)(rng)

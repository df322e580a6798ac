"""Scenes of text: questions with their options on the sheet, timetables, signs."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from experiments.recipes.reasoner.lessons import (
    Lesson,
    among,
    not_told,
    options_text,
    with_letters,
)
from experiments.recipes.reasoner.words import GOODS, invented_names, some_names

Sheet = tuple[str, tuple[Lesson, ...]]

_HEAD = "Text in the image, row by row:\n"
_ASKED = (
    "Which option is correct?",
    "Which answer is right?",
    "Choose the correct option.",
    "What is the right choice?",
    "Solve it. Which letter?",
    "Answer the question in the picture.",
    "Which one of the options solves it?",
    "Pick the answer that fits.",
    "What should be ticked?",
    "Which letter stands for the right result?",
    "Work it out and choose.",
    "Tell me the correct letter.",
    "Could you solve this and say which option it is?",
    "The right solution is under which letter?",
    "Only one of the answers holds. Which?",
    "Which of the possibilities would you mark?",
    "Do the exercise.",
    "I have to hand this in: which answer do I circle?",
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


def _perimeter(rng: random.Random) -> tuple[str, str, int, str]:
    long, wide = rng.sample(range(3, 25), 2)
    what = rng.choice(("garden", "field", "playground", "carpet"))
    text = (
        f"A rectangular {what} is {long} m long and {wide} m wide.\nHow long is the way around it?"
    )
    return text, f"= 2 × ({long} + {wide})", 2 * (long + wide), " m"


def _age(rng: random.Random) -> tuple[str, str, int, str]:
    young, gap = rng.randint(4, 40), rng.randint(2, 20)
    one, other = rng.sample(("Nora", "Liam", "Clara", "Oscar", "Julia"), 2)
    text = f"{one} is {young} years old. {other} is {gap} years older.\nHow old is {other}?"
    return text, f"= {young} + {gap}", young + gap, " years"


def _change(rng: random.Random) -> tuple[str, str, int, str]:
    note = rng.choice((20, 50, 100))
    price = rng.randint(3, note - 2)
    good = rng.choice(GOODS).lower()
    text = f"{good.capitalize()} for ${price} is paid with a ${note} note.\nHow much is given back?"
    return text, f"= {note} - {price}", note - price, " dollars"


def _minutes(rng: random.Random) -> tuple[str, str, int, str]:
    count, each = rng.randint(2, 8), rng.choice((10, 15, 20, 25, 40, 45))
    what = rng.choice(("lesson", "song practice", "round", "walk"))
    text = f"Each {what} takes {each} minutes. There are {count} of them.\nHow long is that in all?"
    return text, f"= {count} × {each}", count * each, " minutes"


def _share(rng: random.Random) -> tuple[str, str, int, str]:
    children, each = rng.randint(2, 9), rng.randint(2, 12)
    what = rng.choice(("sweets", "stickers", "nuts", "cards"))
    text = (
        f"{children} children share {children * each} {what} equally.\n"
        "How many does each of them get?"
    )
    return text, f"= {children * each} / {children}", each, ""


def _saved(rng: random.Random) -> tuple[str, str, int, str]:
    had, weekly, weeks = rng.randint(5, 60), rng.randint(2, 12), rng.randint(3, 9)
    who = rng.choice(("David", "Grace", "Henry", "Kate"))
    text = (
        f"{who} has ${had} and puts ${weekly} aside every week.\n"
        f"How much is it after {weeks} weeks?"
    )
    return text, f"= {had} + {weeks} × {weekly}", had + weeks * weekly, " dollars"


def _unknown(rng: random.Random) -> tuple[str, str, int, str]:
    added, answer = rng.randint(2, 30), rng.randint(2, 30)
    text = f"x + {added} = {added + answer}\nWhich number is x?"
    return text, f"= {added + answer} - {added}", answer, ""


_PROBLEMS = (
    _speed, _speed, _cost, _left, _times, _plus, _perimeter, _age, _change, _minutes, _share,
    _saved, _unknown,
)  # fmt: skip


def _multiple_choice(rng: random.Random) -> Sheet:
    text, formula, answer, unit = rng.choice(_PROBLEMS)(rng)
    wrong = {answer + rng.choice((-20, -10, -5, -2, 2, 5, 10, 20, answer)) for _ in range(6)}
    wrong = {one for one in wrong if one > 0 and one != answer}
    numbers = [answer, *rng.sample(sorted(wrong), min(3, len(wrong)))]
    rng.shuffle(numbers)
    texts = [f"{number}{unit}" for number in numbers]
    lettered = with_letters(rng, texts)
    options = options_text(rng, lettered)
    if rng.random() < 0.75:
        caption, question = f"{_HEAD}{text}\n{options}", rng.choice(_ASKED)
    else:
        caption, question = f"{_HEAD}{text}", f"{rng.choice(_ASKED)} {options}"
    found = [Lesson("choice", question, "", among(formula, lettered))]
    if rng.random() < 0.3 and caption.endswith(options):
        found.append(
            Lesson("counting", "How many options are given?", f"Up to {lettered[-1][0]}.",
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
    _Attribute(
        "Owner",
        "Its owner is {}.",
        (
            "Who is the owner?",
            "Who owns it?",
            "To whom does it belong?",
            "Tell me the name of the owner.",
        ),
        _surname,
    ),
    _Attribute(
        "Teacher",
        "The teacher is {}.",
        ("Who is the teacher?", "Who teaches?", "Whose class is it?", "By whom is it taught?"),
        _surname,
    ),
    _Attribute(
        "Author",
        "The author is {}.",
        ("Who is the author?", "Who wrote it?", "By whom was it written?", "Name the author."),
        _surname,
    ),
    _Attribute(
        "Driver",
        "The driver is {}.",
        (
            "Who is the driver?",
            "Who drives?",
            "Who sits at the wheel?",
            "Give the name of the driver.",
        ),
        _surname,
    ),
    _Attribute(
        "Built",
        "It was built in {}.",
        (
            "When was it built?",
            "In which year was it built?",
            "How long has it been standing, since which year?",
            "What year does the building date from?",
        ),
        _number(1850, 2020),
    ),
    _Attribute(
        "Length",
        "It is {} long.",
        (
            "How long is it?",
            "What is its length?",
            "What does it measure from end to end?",
            "Tell me how long it is.",
        ),
        _number(2, 90, " m"),
    ),
    _Attribute(
        "Height",
        "It is {} high.",
        ("How high is it?", "What is its height?", "How far up does it reach?", "Give its height."),
        _number(2, 90, " m"),
    ),
    _Attribute(
        "Weight",
        "It weighs {}.",
        (
            "How much does it weigh?",
            "What is its weight?",
            "How heavy is it?",
            "What would the scales show for it?",
        ),
        _number(2, 90, " kg"),
    ),
    _Attribute(
        "Price",
        "It costs {}.",
        (
            "How much does it cost?",
            "What is the price?",
            "What does one pay for it?",
            "For how much is it sold?",
        ),
        _number(2, 900, " dollars"),
    ),
    _Attribute(
        "Seats",
        "It has {} seats.",
        (
            "How many seats does it have?",
            "How many seats?",
            "How many people can sit down in it?",
            "Tell me the number of seats.",
        ),
        _number(2, 90),
    ),
    _Attribute(
        "Room",
        "It is in room {}.",
        (
            "Which room is it in?",
            "What is the room?",
            "Where inside the building is it, which room?",
            "Give the number of the room.",
        ),
        _number(1, 400),
    ),
    _Attribute(
        "Phone",
        "The phone number is {}.",
        (
            "What is the phone number?",
            "Under which number can one call?",
            "Which number should I dial?",
            "Tell me the phone number.",
        ),
        _number(100000, 999999),
    ),
    _Attribute(
        "Colour",
        "Its colour is {}.",
        (
            "What colour is it?",
            "Which colour does it have?",
            "Tell me its colour.",
            "In what colour is it painted?",
        ),
        lambda rng: rng.choice(("red", "blue", "green", "yellow", "white", "black")),
    ),
    _Attribute(
        "Material",
        "It is made of {}.",
        (
            "What is it made of?",
            "Which material is used?",
            "Out of what is it made?",
            "Name its material.",
        ),
        lambda rng: rng.choice(("wood", "steel", "stone", "glass", "paper")),
    ),
    _Attribute(
        "Town",
        "It stands in {}.",
        (
            "Where does it stand?",
            "In which town is it?",
            "Which place does it stand in?",
            "Tell me the town.",
        ),
        lambda rng: invented_names(rng, 1)[0],
    ),
    _Attribute(
        "Date",
        "The date is {}.",
        (
            "What is the date?",
            "On what date is it?",
            "Which day is it on?",
            "For what date is it planned?",
        ),
        lambda rng: f"{rng.randint(1, 28)} {rng.choice(('March', 'May', 'October'))}",
    ),
    _Attribute(
        "Start",
        "It starts at {}.",
        (
            "When does it start?",
            "At what time does it begin?",
            "From what time on is it?",
            "When do I have to be there for the beginning?",
        ),
        _time,
    ),
    _Attribute(
        "End",
        "It ends at {}.",
        (
            "When does it end?",
            "At what time is it over?",
            "Until when does it last?",
            "Tell me the time at which it finishes.",
        ),
        _time,
    ),
    _Attribute(
        "Language",
        "The language is {}.",
        (
            "In which language is it?",
            "Which language is used?",
            "What language would I need to know?",
            "Tell me the language.",
        ),
        lambda rng: rng.choice(("English", "French", "Spanish", "German")),
    ),
    _Attribute(
        "Width",
        "It is {} wide.",
        (
            "How wide is it?",
            "What is its width?",
            "How far is it from side to side?",
            "Tell me the width.",
        ),
        _number(2, 90, " m"),
    ),
    _Attribute(
        "Depth",
        "It is {} deep.",
        ("How deep is it?", "What is its depth?", "How far down does it go?", "Give the depth."),
        _number(2, 90, " m"),
    ),
    _Attribute(
        "Speed",
        "Its speed is {}.",
        (
            "How fast is it?",
            "What is its speed?",
            "At what pace does it move?",
            "Tell me how quickly it goes.",
        ),
        _number(10, 300, " km/h"),
    ),
    _Attribute(
        "Pages",
        "It has {} pages.",
        (
            "How many pages does it have?",
            "Over how many pages does it run?",
            "What is the number of pages?",
            "Tell me how many pages there are.",
        ),
        _number(20, 900),
    ),
    _Attribute(
        "Floors",
        "It has {} floors.",
        (
            "How many floors does it have?",
            "Over how many floors does it extend?",
            "Number of floors?",
            "How many storeys are there?",
        ),
        _number(2, 60),
    ),
    _Attribute(
        "Architect",
        "The architect is {}.",
        (
            "Who is the architect?",
            "By whom was it designed?",
            "Name the architect.",
            "Who drew up the plans?",
        ),
        _surname,
    ),
    _Attribute(
        "Trainer",
        "The trainer is {}.",
        (
            "Who is the trainer?",
            "Who does the training?",
            "By whom is one trained?",
            "Tell me the trainer's name.",
        ),
        _surname,
    ),
    _Attribute(
        "Season",
        "The season is {}.",
        (
            "Which season is it?",
            "At what time of the year is it?",
            "Name the season.",
            "In which of the four seasons does it take place?",
        ),
        lambda rng: rng.choice(("spring", "summer", "autumn", "winter")),
    ),
    _Attribute(
        "Members",
        "It counts {} members.",
        (
            "How many members does it count?",
            "How many have joined?",
            "What is the number of members?",
            "Tell me how many belong to it.",
        ),
        _number(5, 900),
    ),
    _Attribute(
        "Shape",
        "Its shape is {}.",
        (
            "What shape is it?",
            "Which shape does it have?",
            "How is it shaped?",
            "Tell me its shape.",
        ),
        lambda rng: rng.choice(("round", "square", "oval", "triangular")),
    ),
    _Attribute(
        "Temperature",
        "Its temperature is {}.",
        (
            "What is its temperature?",
            "How warm is it?",
            "How many degrees does it have?",
            "What does the thermometer say?",
        ),
        _number(3, 90, " °C"),
    ),
)


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

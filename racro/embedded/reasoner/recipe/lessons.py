r"""A lesson: a question, the brief reasoning that answers it, and what goes into the \boxed{}."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from racro.calculations import worked_out
from racro.contracts.prompts import NOT_TOLD
from racro.embedded.reasoner.recipe.numbers import Amount


@dataclass(frozen=True)
class Lesson:
    """`boxed` is the answer itself, or a formula: see racro.calculations."""

    asks: str
    question: str
    reasoning: str
    boxed: str

    @property
    def reply(self) -> str:
        return f"{self.reasoning} \\boxed{{{self.boxed}}}".lstrip()

    @property
    def answer(self) -> str:
        return worked_out(self.boxed)


@dataclass(frozen=True)
class Measure:
    """What is measured, and the adjectives of most and least of it."""

    name: str
    most: tuple[str, ...]
    least: tuple[str, ...]
    counted: str | None = None
    prefix: str = ""
    suffix: str = ""
    low: int = 1
    high: int = 99
    places: int = 0

    def amounts(self, rng: random.Random, count: int) -> list[Amount]:
        """Of one order of magnitude, as the bars of a chart are."""
        high = self.high if rng.random() < 0.8 else self.high * 10
        return [
            Amount(
                Decimal(rng.randint(self.low * 10**self.places, high * 10**self.places)).scaleb(
                    -self.places
                ),
                self.prefix,
                self.suffix,
                grouped=True,
            )
            for _ in range(count)
        ]


_MOST = ("highest", "largest", "biggest", "greatest")
_LEAST = ("lowest", "smallest")
MEASURES = (
    Measure("revenue", _MOST, _LEAST, prefix="$"),
    Measure("revenue", _MOST, _LEAST, suffix="k"),
    Measure("profit", (*_MOST, "most profitable"), (*_LEAST, "least profitable"), prefix="€"),
    Measure("number of units sold", (*_MOST, "best-selling"), _LEAST, counted="units"),
    Measure("number of visitors", (*_MOST, "busiest"), (*_LEAST, "quietest"), "visitors", high=300),
    Measure("score", (*_MOST, "best"), (*_LEAST, "worst"), counted="points"),
    Measure("number of votes", (*_MOST, "most popular"), (*_LEAST, "least popular"), "votes"),
    Measure("number of students", _MOST, _LEAST, "students"),
    Measure("number of goals", _MOST, _LEAST, "goals", high=30),
    Measure("share", _MOST, _LEAST, suffix="%", low=2, high=60),
    Measure("percentage", _MOST, _LEAST, suffix="%", low=2, high=60),
    Measure("price", ("most expensive", "dearest", "costliest"), ("cheapest",), prefix="$"),
    Measure("price", ("most expensive", "priciest"), ("cheapest",), high=20, places=2),
    Measure("cost", ("most expensive", "costliest"), ("cheapest",), prefix="$", high=30, places=2),
    Measure("height", ("tallest", "highest"), ("shortest", "lowest"), suffix=" m"),
    Measure("height", ("tallest",), ("shortest",), suffix=" cm", low=90, high=200),
    Measure("length", ("longest",), ("shortest",), suffix=" km"),
    Measure("length", ("longest",), ("shortest",), suffix=" m", high=30, places=1),
    Measure("weight", ("heaviest",), ("lightest",), suffix=" kg"),
    Measure("temperature", ("hottest", "warmest", "highest"), ("coldest", "coolest"), suffix="°C"),
    Measure("speed", ("fastest", "quickest"), ("slowest",), suffix=" km/h", high=200),
    Measure("distance", ("farthest", "most distant"), ("nearest", "closest"), suffix=" km"),
    Measure("age", ("oldest",), ("youngest",), suffix=" years"),
    Measure("duration", ("longest",), ("shortest",), suffix=" min"),
    Measure("depth", ("deepest",), ("shallowest",), suffix=" m"),
    Measure("rainfall", ("wettest", *_MOST), ("driest", *_LEAST), suffix=" mm"),
    Measure("rating", (*_MOST, "best"), (*_LEAST, "worst"), high=9, places=1),
    Measure("value", _MOST, _LEAST),
    Measure("count", _MOST, _LEAST, high=20),
    Measure("growth", (*_MOST, "fastest"), (*_LEAST, "slowest"), suffix="%", high=15, places=1),
)


@dataclass(frozen=True)
class Series:
    """Named amounts of one measure: the bars of a chart, a column of a table, a list of prices."""

    noun: str
    plural: str
    measure: Measure
    entries: tuple[tuple[str, Amount], ...]
    # The reply names the column of a table beside the row.
    column: str | None = None
    # The caption itself names the highest and the lowest, says how many there are.
    extremes_told: bool = False
    count_told: bool = False

    def key(self, name: str) -> str:
        return f"{name}, {self.column}" if self.column else name


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


_WHERE_SEEN = (
    "According to the chart, ",
    "Looking at the picture, ",
    "In the image, ",
    "From the data shown, ",
    "Based on what is shown, ",
    "Going by the image, ",
)
_NAMES_THE_MEASURE = ("{measure}", "{counted}", "{column}")


def _fits(template: str, series: Series) -> bool:
    """In a table a question must name its column; `{counted}` asks for things one can count."""
    if "{counted}" in template and series.measure.counted is None:
        return False
    if series.column is None:
        return "{column}" not in template
    return any(field in template for field in _NAMES_THE_MEASURE)


def _ask(rng: random.Random, series: Series, templates: Sequence[str], **words: object) -> str:
    question = rng.choice([one for one in templates if _fits(one, series)]).format(
        noun=series.noun,
        plural=series.plural,
        measure=series.measure.name,
        counted=series.measure.counted,
        column=series.column,
        **words,
    )
    if rng.random() < 0.15:
        lowered = question[0].lower() + question[1:] if question[0] in "WH" else question
        question = rng.choice(_WHERE_SEEN) + lowered
    return question


_VALUE_OF = (
    "What is the {measure} of {name}?",
    "What is the {measure} for {name}?",
    "What was the {measure} in {name}?",
    "How much is {name}?",
    "What value does {name} have?",
    "What does the chart show for {name}?",
    "What is {name}'s {measure}?",
    "{name}: what is the {measure}?",
    "Give the {measure} of {name}.",
    "State the number beside {name}.",
    "What number goes with {name}?",
    "How high is {name}?",
    "I need the {measure} for {name}.",
    "Look up {name}.",
    "Which value is printed for {name}?",
    "What {measure} does {name} have?",
    "What's the {measure} for the {noun} {name}?",
    "Report {name}.",
    "Can you read the {measure} of {name}?",
    "What {measure} is recorded under {name}?",
    "What figure is listed against {name}?",
    "At what {measure} does {name} stand?",
    "How many {counted} does {name} have?",
    "How many {counted} did {name} get?",
    "How many {counted} were there in {name}?",
    "How many {counted} are shown for {name}?",
    "{name} has how many {counted}?",
    "How many {counted} belong to {name}?",
    "What is the {column} of {name}?",
    "What does the table give as {column} for {name}?",
    "{name}: {column}?",
    "Under {column}, what stands for {name}?",
    "In the row {name}, what is the {column}?",
    "What is in the {column} column for {name}?",
    "What is the {column} value of {name}?",
)
_NAME_OF = (
    "Which {noun} has {amount}?",
    "Which {noun} has a {measure} of {amount}?",
    "What {noun} stands at {amount}?",
    "For which {noun} is the {measure} {amount}?",
    "Which one has {amount}?",
    "Which {noun} reached {amount}?",
    "The {measure} is {amount} for which {noun}?",
    "Name the {noun} at {amount}.",
    "Whose {measure} is {amount}?",
    "{amount} belongs to which {noun}?",
)


def value_of(rng: random.Random, series: Series) -> Lesson:
    name, amount = rng.choice(series.entries)
    question = _ask(rng, series, _VALUE_OF, name=name)
    return Lesson("lookup", question, f"{series.key(name)}: {amount}.", str(amount))


def name_of(rng: random.Random, series: Series) -> Lesson | None:
    name, amount = rng.choice(series.entries)
    if sum(other.number == amount.number for _, other in series.entries) > 1:
        return None
    question = _ask(rng, series, _NAME_OF, amount=amount)
    return Lesson("lookup", question, f"{series.key(name)}: {amount}.", name)


_EXTREME = (
    "Which {noun} has the {adjective} {measure}?",
    "Which {noun} is the {adjective}?",
    "Which is the {adjective}?",
    "What is the {adjective} {noun}?",
    "Which of the {plural} is {adjective}?",
    "Name the {adjective} {noun}.",
    "Which {noun} was {adjective}?",
    "The {adjective} {measure} is that of which {noun}?",
    "Of all {plural}, which is {adjective}?",
    "Find the {noun} with the {adjective} {measure}.",
    "Who or what is {adjective}?",
    "Which one comes out {adjective}?",
    "Which {noun} has the {most} {counted}?",
    "Where were the {most} {counted}?",
    "Which {noun} got the {most} {counted}?",
    "Who has the {most} {counted}?",
)


def extreme(rng: random.Random, series: Series) -> Lesson | None:
    entries = series.entries
    if len({amount.number for _, amount in entries}) < len(entries):
        return None
    most = rng.random() < 0.55
    question = _ask(
        rng,
        series,
        _EXTREME,
        adjective=rng.choice(series.measure.most if most else series.measure.least),
        most="most" if most else "fewest",
    )
    end = "highest" if most else "lowest"
    if not series.extremes_told:
        return Lesson("comparison", question, "", f"= {end}: {_listed(entries)}")
    name, amount = (max if most else min)(entries, key=lambda entry: entry[1].number)
    return Lesson("comparison", question, f"{end.capitalize()}: {name} ({amount}).", name)


def _listed(entries: Sequence[tuple[str, Amount]], separator: str = "; ") -> str:
    return separator.join(f"{name} {amount}" for name, amount in entries)


_SUM_OF_TWO = (
    "What is the sum of {one} and {other}?",
    "How much are {one} and {other} together?",
    "What is the total {measure} of {one} and {other}?",
    "Add {one} and {other}.",
    "What do {one} and {other} come to in total?",
    "{one} plus {other}: how much?",
    "What is the combined {measure} of {one} and {other}?",
    "How much for both {one} and {other}?",
    "If {one} and {other} are taken together, what is the {measure}?",
    "Sum up {one} and {other}.",
    "How many {counted} do {one} and {other} have together?",
    "How many {counted} were there in {one} and {other} combined?",
    "How many {counted} in total for {one} and {other}?",
)
_SUM_OF_THREE = (
    "What is the sum of {one}, {other} and {third}?",
    "How much are {one}, {other} and {third} together?",
    "Add up {one}, {other} and {third}.",
    "What is the total of {one}, {other} and {third}?",
    "{one}, {other} and {third}: what is their total {measure}?",
)


def sum_of(rng: random.Random, series: Series) -> Lesson | None:
    entries = list(series.entries)
    chosen = rng.sample(entries, min(len(entries), 2 if rng.random() < 0.8 else 3))
    if len(chosen) < 2:
        return None
    names = [name for name, _ in chosen]
    question = _ask(
        rng,
        series,
        _SUM_OF_TWO if len(chosen) == 2 else _SUM_OF_THREE,
        one=names[0],
        other=names[1],
        third=names[-1],
    )
    summed = " + ".join(str(amount) for _, amount in chosen)
    return Lesson("arithmetic", question, f"{_listed(chosen, ', ')}.", f"= {summed}")


_SUM_OF_ALL = (
    "What is the sum of all values?",
    "What is the total {measure} of all {plural}?",
    "How much is it altogether?",
    "Add up the whole list.",
    "What do all {plural} come to?",
    "What is the overall {measure}?",
    "What is the total {measure}?",
)


def sum_of_all(rng: random.Random, series: Series) -> Lesson:
    question = _ask(rng, series, _SUM_OF_ALL)
    return Lesson("arithmetic", question, "", f"= sum: {_listed(series.entries)}")


_DIFFERENCE = (
    "What is the difference between {one} and {other}?",
    "How much more is {one} than {other}?",
    "How much less is {other} than {one}?",
    "By how much is {one} above {other}?",
    "How far is {other} behind {one}?",
    "What is {one} minus {other}?",
    "How much bigger is {one} than {other}?",
    "What is the gap between {other} and {one}?",
    "How much does {one} lead {other} by?",
    "By what amount is {other} lower than {one}?",
    "What is the difference in {measure} between {one} and {other}?",
    "How much higher is the {measure} of {one} than that of {other}?",
    "How many more {counted} does {one} have than {other}?",
    "How many fewer {counted} does {other} have than {one}?",
)


def difference(rng: random.Random, series: Series) -> Lesson | None:
    chosen = sorted(rng.sample(series.entries, 2), key=lambda entry: -entry[1].number)
    (one, high), (other, low) = chosen
    if high.number == low.number:
        return None
    question = _ask(rng, series, _DIFFERENCE, one=one, other=other)
    # As asked: a difference is worked out without its sign.
    chosen.sort(key=lambda entry: question.find(entry[0]))
    left, right = (amount for _, amount in chosen)
    return Lesson("arithmetic", question, f"{_listed(chosen, ', ')}.", f"= {left} - {right}")


_COUNT = (
    "How many {plural} are there?",
    "How many {plural} are listed?",
    "How many {plural} does it show?",
    "What is the number of {plural}?",
    "How many different {plural} are shown?",
)
_COUNT_BEYOND = (
    "How many {plural} have more than {limit}?",
    "How many {plural} are above {limit}?",
    "How many {plural} have a {measure} over {limit}?",
    "How many exceed {limit}?",
    "For how many {plural} is the {measure} greater than {limit}?",
    "How many {plural} have more than {limit} {counted}?",
)
_COUNT_BELOW = (
    "How many {plural} have less than {limit}?",
    "How many {plural} are below {limit}?",
    "How many {plural} have a {measure} under {limit}?",
    "How many stay under {limit}?",
    "For how many {plural} is the {measure} smaller than {limit}?",
)


def count(rng: random.Random, series: Series) -> Lesson:
    question = _ask(rng, replace(series, column=None), _COUNT)
    if series.count_told:
        number = len(series.entries)
        return Lesson("counting", question, f"{number} {series.plural}.", str(number))
    return Lesson(
        "counting", question, "", f"= count: {'; '.join(name for name, _ in series.entries)}"
    )


def count_beyond(rng: random.Random, series: Series) -> Lesson | None:
    above = rng.random() < 0.6
    amounts = sorted(amount.number for _, amount in series.entries)
    at = rng.randrange(len(amounts) - 1)
    limit = _round_between(amounts[at], amounts[at + 1])
    if limit is None:
        return None
    shown = series.entries[0][1].of(limit)
    question = _ask(rng, series, _COUNT_BEYOND if above else _COUNT_BELOW, limit=shown)
    side = "over" if above else "under"
    return Lesson("counting", question, "", f"= count {side} {shown}: {_listed(series.entries)}")


def _round_between(low: Decimal, high: Decimal) -> Decimal | None:
    """A round number strictly between the two."""
    for step in (Decimal(100), Decimal(50), Decimal(10), Decimal(5), Decimal(1)):
        limit = (low // step + 1) * step
        if low < limit < high:
            return limit
    return None


_MORE = (
    "Is {one} more than {other}?",
    "Is {one} higher than {other}?",
    "Does {one} have a higher {measure} than {other}?",
    "Is the {measure} of {one} larger than that of {other}?",
    "Is {one} above {other}?",
    "Does {one} beat {other}?",
    "Has {one} got more than {other}?",
    "Is it true that {one} is greater than {other}?",
    "Does {one} have more {counted} than {other}?",
    "Would you call {one} {comparative} than {other}?",
    "{one} or {other}: is it right that the first is {comparative}?",
)
_LESS = (
    "Is {one} less than {other}?",
    "Is {one} lower than {other}?",
    "Does {one} have a lower {measure} than {other}?",
    "Is the {measure} of {one} smaller than that of {other}?",
    "Is {one} below {other}?",
    "Has {one} got less than {other}?",
    "Would you call {one} {comparative} than {other}?",
    "{one} or {other}: is it right that the first is {comparative}?",
)
_IRREGULAR = {"best": "better", "worst": "worse", "best-selling": "better-selling"}


def comparative(superlative: str) -> str:
    """tallest → taller, most popular → more popular."""
    if superlative in _IRREGULAR:
        return _IRREGULAR[superlative]
    if superlative.endswith("est"):
        return superlative.removesuffix("st") + "r"
    return superlative.replace("most ", "more ", 1).replace("least ", "less ", 1)


def more_than(rng: random.Random, series: Series) -> Lesson | None:
    (one, left), (other, right) = rng.sample(series.entries, 2)
    if left.number == right.number:
        return None
    asks_more = rng.random() < 0.6
    superlative = rng.choice(series.measure.most if asks_more else series.measure.least)
    question = _ask(
        rng,
        series,
        _MORE if asks_more else _LESS,
        one=one,
        other=other,
        comparative=comparative(superlative),
    )
    sign = ">" if asks_more else "<"
    return Lesson("yes_no", question, f"{one} {left}, {other} {right}.", f"= {left} {sign} {right}")


_IS_VALUE = (
    "Is {name} {amount}?",
    "Is the {measure} of {name} {amount}?",
    "Does {name} have {amount}?",
    "Is it right that {name} is at {amount}?",
    "Was {name} at {amount}?",
    "Does it say {amount} for {name}?",
)
_IS_BEYOND = (
    "Is {name} more than {amount}?",
    "Is {name} above {amount}?",
    "Does {name} go over {amount}?",
    "Is the {measure} of {name} at least {amount}?",
    "Did {name} pass {amount}?",
)
_IS_BELOW = (
    "Is {name} less than {amount}?",
    "Is {name} below {amount}?",
    "Does {name} stay under {amount}?",
    "Is the {measure} of {name} under {amount}?",
)


def is_value(rng: random.Random, series: Series) -> Lesson:
    name, amount = rng.choice(series.entries)
    said = amount if rng.random() < 0.5 else rng.choice(series.entries)[1]
    question = _ask(rng, series, _IS_VALUE, name=name, amount=said)
    return Lesson("yes_no", question, f"{series.key(name)}: {amount}.", f"= {amount} = {said}")


def is_beyond(rng: random.Random, series: Series) -> Lesson | None:
    name, amount = rng.choice(series.entries)
    offset = Decimal(rng.choice((-20, -10, -5, -2, -1, 1, 2, 5, 10, 20)))
    limit = (amount.number + offset) // 5 * 5
    if limit <= 0 or limit == amount.number:
        return None
    asks_more = rng.random() < 0.6
    said = amount.of(limit)
    question = _ask(rng, series, _IS_BEYOND if asks_more else _IS_BELOW, name=name, amount=said)
    sign = ">" if asks_more else "<"
    return Lesson("yes_no", question, f"{series.key(name)}: {amount}.", f"= {amount} {sign} {said}")


_IS_THERE = (
    "Is {name} in the chart?",
    "Is there a {noun} called {name}?",
    "Is {name} listed?",
    "Does {name} appear?",
    "Is {name} one of the {plural}?",
)


def is_there(rng: random.Random, series: Series, absent: str) -> Lesson:
    name, answer = (absent, "no") if rng.random() < 0.5 else (rng.choice(series.entries)[0], "yes")
    question = _ask(rng, replace(series, column=None), _IS_THERE, name=name)
    there = "is" if answer == "yes" else "is not"
    return Lesson("yes_no", question, f"{name} {there} listed, so {answer}.", answer)


_MISSING = ": not in the caption."


def not_told(question: str, missing: str) -> Lesson:
    return Lesson("unanswerable", question, f"{missing}{_MISSING}", NOT_TOLD)


def contradicts(lesson: Lesson, caption: str) -> bool:
    """The lesson misses what the caption does mention."""
    missing, found, _ = lesson.reasoning.partition(_MISSING)
    return bool(found) and missing.lower() in caption.lower()


def absent_name(rng: random.Random, series: Series, absent: str) -> Lesson:
    return not_told(_ask(rng, series, _VALUE_OF, name=absent), absent)


_OTHER_ATTRIBUTE = (
    "What is the {other} of {name}?",
    "What {other} does {name} have?",
    "What is {name}'s {other}?",
    "Which {noun} has the {adjective} {other}?",
    "Give the {other} of {name}.",
    "Is the {other} of {name} known to be high?",
)
_UNTOLD = (
    ("Who made this chart?", "The maker"),
    ("Why did {name} change?", "A reason"),
    ("What will {name} be next year?", "Next year"),
    ("Who is in charge of {name}?", "A person in charge"),
    ("What was {name} ten years ago?", "Ten years ago"),
    ("Where was this data collected?", "A place of collection"),
    ("What is the phone number of {name}?", "A phone number"),
    ("What is the average {measure} worldwide?", "A worldwide average"),
    ("When was {name} founded?", "A founding date"),
    ("Which source does the data come from?", "A source"),
    ("What time does {name} open?", "An opening time"),
    ("How many employees does {name} have?", "Employees"),
)


# One may be asked for where the other is told: "value" stands for any of them.
_ALIKE = (
    {"price", "cost", "revenue", "profit"},
    {"share", "percentage", "growth"},
    {"length", "distance", "height", "depth"},
    {"score", "rating", "number of goals", "number of votes", "points", "goals", "votes", "wins"},
    {"number of visitors", "number of students", "visitors"},
    {"number of units sold", "sales", "orders", "stock"},
)
_ANY_MEASURE = {"value", "count"}


def _unlike(measure: Measure) -> list[Measure]:
    alike = set(_ANY_MEASURE).union({measure.name}, *(one for one in _ALIKE if measure.name in one))
    return (
        [] if measure.name in _ANY_MEASURE else [one for one in MEASURES if one.name not in alike]
    )


def other_attribute(rng: random.Random, series: Series) -> Lesson:
    name = rng.choice(series.entries)[0]
    others = _unlike(series.measure)
    if not others or rng.random() < 0.4:
        template, missing = rng.choice(_UNTOLD)
        return not_told(template.format(name=name, measure=series.measure.name), missing)
    other = rng.choice(others)
    question = _ask(
        rng,
        replace(series, column=None),
        _OTHER_ATTRIBUTE,
        other=other.name,
        name=name,
        adjective=rng.choice(_MOST),
    )
    return not_told(question, _capitalised(other.name))


_LETTERS = "ABCDE"
_OPTION_STYLES = (
    "({letter}) {option}",
    "{letter}) {option}",
    "{letter}. {option}",
    "{letter}: {option}",
)


def options_text(rng: random.Random, options: Sequence[str]) -> str:
    style = rng.choice(_OPTION_STYLES)
    lettered = zip(_LETTERS, options, strict=False)
    shown = [style.format(letter=letter, option=option) for letter, option in lettered]
    return rng.choice((" ", "\n", ", ", "; ")).join(shown)


def choice(rng: random.Random, series: Series, lesson: Lesson) -> Lesson | None:
    """`lesson` as a multiple choice, its distractors from the series."""
    names = [name for name, _ in series.entries]
    if lesson.answer in names:
        others = [name for name in names if name != lesson.answer]
    else:
        others = [str(amount) for _, amount in series.entries if str(amount) != lesson.answer]
    others = sorted(set(others))
    if len(others) < 2:
        return None
    options = [*rng.sample(others, min(len(others), rng.choice((2, 3, 3)))), lesson.answer]
    rng.shuffle(options)
    opening = rng.choice((" ", "\n", " Options: ", " Choose from: "))
    question = lesson.question + opening + options_text(rng, options)
    return Lesson("choice", question, *chosen(lesson.reasoning, lesson.boxed, options))


def chosen(reasoning: str, boxed: str, options: Sequence[str]) -> tuple[str, str]:
    """(reasoning, boxed) of a choice among `options`, where `boxed` alone is the right one."""
    if boxed.startswith("="):
        lettered = zip(_LETTERS, options, strict=False)
        among = "; ".join(f"{letter} {option}" for letter, option in lettered)
        return reasoning, f"{boxed} among {among}"
    letter = _LETTERS[options.index(boxed)]
    return f"{reasoning} {boxed} is {letter}.", letter

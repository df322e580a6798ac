r"""A lesson: a question, the brief reasoning that answers it, and what goes into the \boxed{}."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from experiments.recipes.reasoner.numbers import Amount
from racro.answers.formulas import worked_out
from racro.contracts.prompts import NOT_TOLD


@dataclass(frozen=True)
class Lesson:
    """`boxed` is the answer itself, or a formula: see racro.answers.formulas."""

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
    # How much does it …, how … is it?
    verb: str | None = None
    grade: str | None = None

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
    Measure("revenue", _MOST, _LEAST, prefix="$", verb="bring in"),
    Measure("revenue", _MOST, _LEAST, suffix="k", verb="bring in"),
    Measure(
        "profit",
        (*_MOST, "most profitable"),
        (*_LEAST, "least profitable"),
        prefix="€",
        verb="earn",
    ),
    Measure("number of units sold", (*_MOST, "best-selling"), _LEAST, counted="units", verb="sell"),
    Measure(
        "number of visitors",
        (*_MOST, "busiest"),
        (*_LEAST, "quietest"),
        "visitors",
        high=300,
        verb="attract",
    ),
    Measure("score", (*_MOST, "best"), (*_LEAST, "worst"), counted="points", verb="score"),
    Measure(
        "number of votes",
        (*_MOST, "most popular"),
        (*_LEAST, "least popular"),
        "votes",
        verb="receive",
    ),
    Measure("number of students", _MOST, _LEAST, "students"),
    Measure("number of goals", _MOST, _LEAST, "goals", high=30, verb="score"),
    Measure("share", _MOST, _LEAST, suffix="%", low=2, high=60),
    Measure("percentage", _MOST, _LEAST, suffix="%", low=2, high=60),
    Measure(
        "price",
        ("most expensive", "dearest", "costliest"),
        ("cheapest",),
        prefix="$",
        verb="cost",
        grade="expensive",
    ),
    Measure(
        "price",
        ("most expensive", "priciest"),
        ("cheapest",),
        high=20,
        places=2,
        verb="cost",
        grade="expensive",
    ),
    Measure(
        "cost",
        ("most expensive", "costliest"),
        ("cheapest",),
        prefix="$",
        high=30,
        places=2,
        verb="cost",
    ),
    Measure("height", ("tallest", "highest"), ("shortest", "lowest"), suffix=" m", grade="tall"),
    Measure("height", ("tallest",), ("shortest",), suffix=" cm", low=90, high=200, grade="tall"),
    Measure("length", ("longest",), ("shortest",), suffix=" km", grade="long"),
    Measure("length", ("longest",), ("shortest",), suffix=" m", high=30, places=1, grade="long"),
    Measure("weight", ("heaviest",), ("lightest",), suffix=" kg", verb="weigh", grade="heavy"),
    Measure(
        "temperature",
        ("hottest", "warmest", "highest"),
        ("coldest", "coolest"),
        suffix="°C",
        grade="warm",
    ),
    Measure("speed", ("fastest", "quickest"), ("slowest",), suffix=" km/h", high=200, grade="fast"),
    Measure(
        "distance",
        ("farthest", "most distant"),
        ("nearest", "closest"),
        suffix=" km",
        grade="far away",
    ),
    Measure("age", ("oldest",), ("youngest",), suffix=" years", grade="old"),
    Measure("duration", ("longest",), ("shortest",), suffix=" min", grade="long"),
    Measure("depth", ("deepest",), ("shallowest",), suffix=" m", grade="deep"),
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
    "As the graphic has it, ",
    "Judging from the figures given, ",
    "Just from what you can see, ",
    "With this picture in mind, ",
    "Using only the information above, ",
    "Given what is printed here, ",
    "Please look at the image: ",
    "For my notes: ",
    "One quick thing: ",
    "If the picture is anything to go by, ",
    "Here is my question: ",
    "According to what is written there, ",
)
# What a question begins with: in the middle of a sentence it keeps its capital, or loses it.
_KEPT = ("{", "I ", "I'")
_NO_NAME = ("{measure}", "{adjective}", "{most}")
_NAMES_THE_MEASURE = ("{measure}", "{counted}", "{column}")


def _fits(template: str, series: Series) -> bool:
    """In a table a question must name its column; `{counted}` asks for things one can count."""
    if "{counted}" in template and series.measure.counted is None:
        return False
    if "{verb}" in template and (
        series.measure.verb is None or (series.measure.counted is None) == ("{counted}" in template)
    ):
        return False
    if "{grade}" in template and series.measure.grade is None:
        return False
    if series.column is None:
        return "{column}" not in template
    return any(field in template for field in _NAMES_THE_MEASURE)


def _ask(rng: random.Random, series: Series, templates: Sequence[str], **words: object) -> str:
    template = rng.choice([one for one in templates if _fits(one, series)])
    question = template.format(
        noun=series.noun,
        plural=series.plural,
        measure=series.measure.name,
        counted=series.measure.counted,
        column=series.column,
        verb=series.measure.verb,
        grade=series.measure.grade,
        **words,
    )
    if template.startswith(_NO_NAME):
        question = _capitalised(question)
    if rng.random() < 0.15:
        kept = template.startswith(_KEPT) and not template.startswith(_NO_NAME)
        lowered = question if kept else question[0].lower() + question[1:]
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
    "Tell me how much {name} seems to {verb}.",
    "I'd like to know how much {name} will {verb} according to this.",
    "What does {name} {verb}, please?",
    "How many {counted} does {name} {verb}?",
    "Say how many {counted} {name} managed to {verb}.",
    "Could you tell me how {grade} {name} is?",
    "Just how {grade} would you say {name} is, going by the figures?",
    "{measure} of {name}?",
    "{name}, {measure}?",
    "And {name}?",
    "Please read off {name}.",
    "I'd like to know what {measure} is given for {name}.",
    "Could you tell me the {measure} that belongs to {name}?",
    "Out of the {plural} shown, take {name} and say what its {measure} is.",
    "When one looks for {name}, what {measure} does one find?",
    "The {measure} recorded for {name} is what?",
    "Someone asked me about {name}; what should I say its {measure} is?",
    "What amount do we see for {name}?",
    "Which number stands next to {name}?",
    "Where {name} is concerned, what is the {measure}?",
    "As for {name}, which figure is shown?",
    "Find {name} and give its number.",
    "How much did they note down for {name}?",
    "Write down the {measure} for {name}.",
    "What has been entered for {name}?",
    "What sort of {measure} are we talking about with {name}?",
    "Is there a figure for {name}, and what is it?",
    "Among these {plural}, what {measure} has {name}?",
    "How much can be attributed to {name}?",
    "Check the {noun} {name}: what is its {measure}?",
    "Would you mind reading me the {measure} of {name}?",
    "{name} comes with what {measure}?",
    "What reading do you get for {name}?",
    "To what {measure} does {name} amount?",
    "Quote the {measure} that goes with {name}.",
    "How do things stand for {name} in terms of {measure}?",
    "Do you know what the {measure} of the {noun} named {name} is?",
    "What quantity is assigned to {name}?",
    "Retrieve the value of {name}.",
    "Let me have the exact {measure} of {name}.",
    "The {noun} {name}: how many {counted}?",
    "Number of {counted} for {name}?",
    "Tell me how many {counted} {name} has.",
    "I wonder how many {counted} there are for {name}.",
    "Could you say how many {counted} are credited to {name}?",
    "What count of {counted} is reported for {name}?",
    "How many {counted} can {name} claim?",
    "With how many {counted} is {name} listed?",
    "{name} accounts for how many {counted}?",
    "How many {counted} were recorded for the {noun} {name}?",
    "Tell me what {name} has for {column}.",
    "Go to {name} and read the cell of {column}.",
    "{column} for {name}, please.",
    "Which entry is found where {name} meets {column}?",
    "For {name}, how much is listed as {column}?",
    "I am looking for the {column} of {name}; what is it?",
    "When it comes to {column}, what does {name} have?",
    "How large is {name}'s {column}?",
    "What figure does the {column} column hold on the line of {name}?",
    "Could you give me {name}'s entry for {column}?",
    "What do we read for {name} with respect to {column}?",
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
    "Who or what has {amount}?",
    "Tell me which {noun} shows {amount}.",
    "{amount}: which {noun}?",
    "What is the {noun} whose {measure} equals {amount}?",
    "Find the {noun} that is listed with {amount}.",
    "Next to which {noun} does one read {amount}?",
    "I see {amount} somewhere; which {noun} is that?",
    "Could you tell me for which of the {plural} a {measure} of {amount} is given?",
    "A {measure} of {amount} was recorded for what {noun}?",
    "Out of the {plural} shown, which is the one with {amount}?",
    "To what {noun} does the {measure} {amount} belong?",
    "Which of these {plural} has exactly {amount} as its {measure}?",
    "Of which {noun} is {amount} the {measure}?",
    "Identify the {noun} for which the {measure} comes to {amount}.",
    "The number {amount} stands for what?",
    "If the {measure} is {amount}, what {noun} are we looking at?",
    "I'd like to know which {noun} scores {amount} in terms of {measure}.",
    "Please point out the {noun} marked {amount}.",
    "Only one {noun} has a {measure} of {amount}; what is it called?",
    "What was it that had a {measure} of {amount}?",
    "With a {measure} of {amount}, which {noun} is meant?",
    "Which name goes together with {amount}?",
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
    "Tell me which {noun} has the {adjective} {measure}.",
    "Out of the ones shown, which is {adjective}?",
    "Which of them would you call the {adjective}?",
    "{adjective} {noun}?",
    "Could you tell me which {noun} turned out to be the {adjective}?",
    "I'd like to know what the {adjective} of these {plural} is.",
    "If you compare all {plural} by {measure}, which one is {adjective}?",
    "Among the {plural} listed, where do we find the {adjective} {measure}?",
    "When it comes to {measure}, which {noun} is {adjective}?",
    "Point out the {adjective} of the {plural}.",
    "The {adjective} one is which?",
    "To which {noun} does the {adjective} {measure} belong?",
    "Whose {measure} is the {adjective} of all?",
    "Pick the {noun} whose {measure} is {adjective}.",
    "No other {noun} is as extreme: which is the {adjective} by {measure}?",
    "What {noun} can boast of being the {adjective}?",
    "Identify the {adjective} {noun} in the list.",
    "In terms of {measure}, the {adjective} {noun} would be which one?",
    "Rank the {plural} by {measure}: which one is the {adjective}?",
    "Under which name is the {adjective} {measure} found?",
    "Which entry is the {adjective}?",
    "Suppose I want the {adjective} {noun}; which should I take?",
    "For which {noun} is the {measure} the {adjective}?",
    "Do you see which {noun} is the {adjective} one?",
    "Which {noun} holds the record for being the {adjective}?",
    "What is the name of the {noun} that has the {adjective} {measure}?",
    "Tell me who had the {most} {counted}.",
    "{most} {counted}: which {noun}?",
    "Out of the {plural} shown, which one has the {most} {counted}?",
    "The {most} {counted} were recorded for which {noun}?",
    "Can you see where the {most} {counted} are found?",
    "With which {noun} do the {most} {counted} go?",
    "Name the {noun} that comes with the {most} {counted}.",
    "Which {noun} managed to {verb} the {most} {counted}?",
    "Find out what {noun} ended up with the {most} {counted}.",
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


_EXTREME_OF = (
    "Out of {names}, which is the {adjective}?",
    "{names}: which of them is {adjective}?",
    "Which is {adjective}: {names}?",
    "Between {names}, which one has the {adjective} {measure}?",
    "Of {names}, name the {noun} with the {adjective} {measure}.",
    "If only {names} are compared, which {noun} is {adjective}?",
    "Among {names}, whose {measure} is {adjective}?",
    "Who or what is {adjective} out of {names}?",
)


def extreme_of_some(rng: random.Random, series: Series) -> Lesson | None:
    """Among some of the entries, which the question names."""
    some = rng.sample(series.entries, min(3, len(series.entries) - 1))
    if len(some) < 2 or len({amount.number for _, amount in some}) < len(some):
        return None
    most = rng.random() < 0.5
    *names, last = [name for name, _ in some]
    question = _ask(
        rng,
        series,
        _EXTREME_OF,
        names=f"{', '.join(names)} {rng.choice(('and', 'or'))} {last}",
        adjective=rng.choice(series.measure.most if most else series.measure.least),
    )
    end = "highest" if most else "lowest"
    return Lesson("comparison", question, "", f"= {end}: {_listed(some)}")


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
    "Tell me what {one} and {other} make together.",
    "{one} + {other} = ?",
    "Could you add the {measure} of {one} to that of {other}?",
    "Total {measure}, {one} and {other}?",
    "If I put {one} and {other} together, what do I get?",
    "I'd like to know the {measure} of {one} and {other} when both are counted.",
    "Adding {one} to {other} gives what?",
    "What would the {measure} be if {one} and {other} were merged into a single {noun}?",
    "Work out the joint {measure} of {one} and {other}.",
    "How much do {one} and {other} {verb} between them?",
    "If someone takes both {one} and {other}, what will they {verb} in all?",
    "Both {one} and {other}: how much in all?",
    "Take the {measure} of {one}, add that of {other}, and tell me the result.",
    "How large is the {measure} of {one} and {other} taken as a pair?",
    "To what {measure} do {one} and {other} add up?",
    "Put the two {plural} {one} and {other} together: what {measure} results?",
    "Calculate {one} plus {other}, please.",
    "Suppose one needs {one} as well as {other}; how much is that?",
    "Between {one} and {other}, what is the {measure} overall?",
    "Combine the {plural} {one} and {other} and give the {measure}.",
    "What is the aggregate of {one} and {other}?",
    "The values of {one} and {other}, summed, are what?",
    "Adding up the {measure} for {one} and for {other}, where do we end?",
    "How many {counted} do {one} and {other} {verb} altogether?",
    "How many {counted} is that if {one} is added to {other}?",
    "{one} and {other} jointly account for how many {counted}?",
    "Count the {counted} of {one} and {other} together.",
    "Tell me how many {counted} there are in all when one counts {one} and {other}.",
    "What is the number of {counted} that {one} and {other} share between them?",
)
_SUM_OF_THREE = (
    "What is the sum of {one}, {other} and {third}?",
    "How much are {one}, {other} and {third} together?",
    "Add up {one}, {other} and {third}.",
    "What is the total of {one}, {other} and {third}?",
    "{one}, {other} and {third}: what is their total {measure}?",
    "Tell me the {measure} of {one}, {other} and {third} combined.",
    "{one} + {other} + {third} = ?",
    "If {one}, {other} and {third} are put together, what {measure} results?",
    "How much would someone have with {one}, {other} and {third}?",
    "Take {one}, {other} and {third}: what do they add up to?",
    "Could you work out the sum of {one}, {other} and {third}?",
    "What do the three {plural} {one}, {other} and {third} come to?",
    "I'd like to know the joint {measure} of {one}, {other} and {third}.",
    "Calculate the {measure} of {one} plus {other} plus {third}.",
    "In all, how many {counted} do {one}, {other} and {third} have?",
    "What do {one}, {other} and {third} {verb} altogether?",
    "When the {measure} of {one}, of {other} and of {third} are added, what is the result?",
    "Three {plural} matter to me, {one}, {other} and {third}; what is their {measure} in all?",
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
    "Tell me the sum.",
    "Grand total?",
    "What does everything add up to?",
    "If you add up every {noun}, what {measure} do you get?",
    "Calculate the total over all {plural}.",
    "I'd like to know the {measure} of all {plural} combined.",
    "Could you sum the {measure} of every single {noun}?",
    "How much do the {plural} {verb} in all?",
    "How many {counted} are there in total?",
    "How many {counted} is that altogether?",
    "Taking all {plural} together, how many {counted} were there?",
    "Put all the {plural} together: what is the {measure}?",
    "What would be the result of adding all the numbers shown?",
    "To what {measure} do the {plural} amount as a whole?",
    "Sum over all {plural}, please.",
    "When each {noun} is counted in, how large is the {measure}?",
    "What do the figures come to if none is left out?",
    "How many {counted} do all {plural} have between them?",
    "Work out the {measure} of the entire list.",
    "Everything included, what {measure} do we arrive at?",
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
    "Tell me by how much {other} is {lesser} in {measure} than {one}.",
    "How much more does {one} {verb} than {other}?",
    "How much less does {other} {verb} than {one}?",
    "How many more {counted} does {one} {verb} than {other}?",
    "Tell me the difference between {other} and {one}.",
    "{one} - {other} = ?",
    "Difference in {measure}, {one} and {other}?",
    "Subtract {other} from {one}.",
    "If {other} is taken away from {one}, what remains?",
    "How much would {other} have to gain to match {one}?",
    "What does {other} lack to equal {one}?",
    "How much would have to be added to the {measure} of {other} to reach that of {one}?",
    "By what margin is {one} ahead of {other}?",
    "Could you tell me how far apart {one} and {other} are?",
    "I'd like to know how much the {measure} of {one} exceeds that of {other}.",
    "When {one} is compared with {other}, how large is the difference?",
    "How big an advantage in {measure} does {one} have over {other}?",
    "What separates {other} from {one} in {measure}?",
    "Compare {one} and {other}: by how much does their {measure} differ?",
    "The {measure} of {one} is greater than that of {other} by how much?",
    "How much is missing for {other} to come up to {one}?",
    "Work out how much {one} surpasses {other}.",
    "What distance lies between the values of {one} and {other}?",
    "From {other} up to {one}, how much is it?",
    "What is left of the {measure} of {one} once that of {other} is subtracted?",
    "Against {other}, how much extra does {one} have?",
    "How large is the lead that {one} has over {other} in terms of {measure}?",
    "By what amount do {one} and {other} differ?",
    "How much smaller is the {measure} for {other} than the one for {one}?",
    "{one} has how many {counted} more than {other}?",
    "By how many {counted} does {one} beat {other}?",
    "How many {counted} would {other} still need to catch up with {one}?",
    "By how many {counted} is {other} short of {one}?",
    "How many additional {counted} does {one} have compared with {other}?",
)


def difference(rng: random.Random, series: Series) -> Lesson | None:
    chosen = sorted(rng.sample(series.entries, 2), key=lambda entry: -entry[1].number)
    (one, high), (other, low) = chosen
    if high.number == low.number:
        return None
    question = _ask(
        rng,
        series,
        _DIFFERENCE,
        one=one,
        other=other,
        comparative=comparative(rng.choice(series.measure.most)),
        lesser=comparative(rng.choice(series.measure.least)),
    )
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
    "Tell me how many {plural} you can see.",
    "Number of {plural}?",
    "How many {plural} in all?",
    "Could you count the {plural} for me?",
    "I'd like to know how many {plural} are included.",
    "For how many {plural} is something given?",
    "The picture covers how many {plural}?",
    "How many {plural} have been entered?",
    "What is the count of {plural} in the picture?",
    "With how many {plural} are we dealing here?",
    "Going through the {plural} one by one, how many do you find?",
    "How many {plural} are being compared?",
    "Of how many {plural} is this made up?",
    "Please give the number of {plural} that appear.",
    "How many entries are there, each {noun} being one?",
    "How many {plural} can be told apart?",
)
_COUNT_BEYOND = (
    "How many {plural} have more than {limit}?",
    "How many {plural} are above {limit}?",
    "How many {plural} have a {measure} over {limit}?",
    "How many exceed {limit}?",
    "For how many {plural} is the {measure} greater than {limit}?",
    "How many {plural} have more than {limit} {counted}?",
    "Tell me how many {plural} are over {limit}.",
    "How many of the {plural} go beyond {limit}?",
    "How many {plural} pass the mark of {limit} in {measure}?",
    "In how many cases is the {measure} higher than {limit}?",
    "Number of {plural} with a {measure} above {limit}?",
    "With {limit} as the threshold for the {measure}, how many {plural} are past it?",
    "Could you count those {plural} whose {measure} is more than {limit}?",
    "I'd like to know how many {plural} have a {measure} exceeding {limit}.",
    "Out of the {plural} shown, how many are larger than {limit}?",
    "If only a {measure} over {limit} counts, how many {plural} remain?",
    "How often is {limit} exceeded?",
    "How many {plural} can show a {measure} of more than {limit}?",
    "Taking the {measure} of each {noun}, how many times is it greater than {limit}?",
    "How many {plural} {verb} more than {limit}?",
    "How many {plural} {verb} more than {limit} {counted}?",
    "How many got over {limit} {counted}?",
    "What number of {plural} lies above {limit} in {measure}?",
)
_COUNT_BELOW = (
    "How many {plural} have less than {limit}?",
    "How many {plural} are below {limit}?",
    "How many {plural} have a {measure} under {limit}?",
    "How many stay under {limit}?",
    "For how many {plural} is the {measure} smaller than {limit}?",
    "Count the {plural} below {limit}.",
    "Tell me how many {plural} are under {limit}.",
    "How many of the {plural} fall short of {limit}?",
    "How many {plural} do not reach {limit} in {measure}?",
    "In how many cases is the {measure} lower than {limit}?",
    "Number of {plural} with a {measure} below {limit}?",
    "With {limit} as the threshold for the {measure}, how many {plural} lie beneath it?",
    "Could you count those {plural} whose {measure} is less than {limit}?",
    "I'd like to know how many {plural} have a {measure} that stays below {limit}.",
    "Out of the {plural} shown, how many are smaller than {limit}?",
    "If only a {measure} under {limit} counts, how many {plural} remain?",
    "How many {plural} fail to get to {limit}?",
    "How many {plural} {verb} less than {limit}?",
    "How many {plural} {verb} fewer than {limit} {counted}?",
    "How many have fewer than {limit} {counted}?",
    "What number of {plural} lies below {limit} in {measure}?",
    "Taking the {measure} of each {noun}, how many times is it less than {limit}?",
)


_COUNT_FROM = (
    "How many {plural} have {limit} or more?",
    "How many {plural} have at least {limit}?",
    "How many {plural} reach {limit}?",
    "How many of the {plural} have a {measure} of {limit} or higher?",
    "For how many {plural} is the {measure} at least {limit}?",
    "Number of {plural} that come to a {measure} of no less than {limit}?",
)
_COUNT_UP_TO = (
    "How many {plural} have {limit} or less?",
    "How many {plural} have at most {limit}?",
    "How many of the {plural} have a {measure} of {limit} or lower?",
    "How many {plural} do not exceed {limit}?",
    "For how many {plural} is the {measure} at most {limit}?",
    "Number of {plural} with a {measure} of no more than {limit}?",
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
    templates: tuple[str, ...]
    if rng.random() < 0.3:
        templates, side = (_COUNT_FROM, "at least") if above else (_COUNT_UP_TO, "at most")
        shown = rng.choice(series.entries)[1]
    else:
        templates, side = (_COUNT_BEYOND, "over") if above else (_COUNT_BELOW, "under")
    question = _ask(rng, series, templates, limit=shown)
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
    "Would {one} {verb} more than {other} does?",
    "Compared with {other}, is {one} {comparative}?",
    "Next to {other}, does {one} have the greater {measure}?",
    "Against {other}, does {one} come out ahead in {measure}?",
    "Compared with that of {other}, is the {measure} of {one} higher?",
    "Tell me whether {one} is {comparative} than {other}.",
    "Can one say that {one} is {comparative} than {other}?",
    "{one}: {comparative} than {other}, yes or no?",
    "Is the {measure} greater for {one} than for {other}?",
    "Do the figures show {one} to be {comparative} than {other}?",
    "Does {one} exceed {other}?",
    "Does {one} come before {other} when ranked by {measure} from the top?",
    "Is it {one} rather than {other} that has the higher {measure}?",
    "I believe {one} has more than {other}; am I right?",
    "Does the {measure} of {one} surpass the {measure} of {other}?",
    "Did {one} do better in numbers than {other}?",
    "Do we find a larger {measure} at {one} than at {other}?",
    "Are there more {counted} for {one} than for {other}?",
    "Between {one} and {other}, is the first the one with the bigger {measure}?",
    "Could you check whether {one} tops {other}?",
    "Is {one} ahead of {other} in {measure}?",
    "Does {one} outdo {other}?",
    "True or not: {one} has a greater {measure} than {other}?",
    "Of {one} and {other}, does the former show more?",
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
    "Does {one} {verb} less than {other}?",
    "Does {one} {verb} fewer {counted} than {other}?",
    "Compared with {other}, is {one} {comparative}?",
    "Next to {other}, does {one} have the smaller {measure}?",
    "Against {other}, does {one} fall behind in {measure}?",
    "Compared with that of {other}, is the {measure} of {one} lower?",
    "Tell me whether {one} is {comparative} than {other}.",
    "Can one say that {one} is {comparative} than {other}?",
    "{one}: {comparative} than {other}, yes or no?",
    "Is the {measure} less for {one} than for {other}?",
    "Do the figures show {one} to be {comparative} than {other}?",
    "Does {one} trail {other}?",
    "Does {one} stand lower than {other} when all are ranked by {measure}?",
    "Is it {one} rather than {other} that has the lower {measure}?",
    "I believe {one} has less than {other}; am I right?",
    "Does the {measure} of {one} fall short of the {measure} of {other}?",
    "Do we find a smaller {measure} at {one} than at {other}?",
    "Are there fewer {counted} for {one} than for {other}?",
    "Between {one} and {other}, is the first the one with the smaller {measure}?",
    "Is {one} behind {other} in {measure}?",
    "True or not: {one} has a lower {measure} than {other}?",
    "Of {one} and {other}, does the former show less?",
    "Does {one} have fewer {counted} than {other}?",
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
    "Does {name} {verb} {amount}?",
    "Does {name} {verb} {amount} {counted}?",
    "Is {name} {amount} according to this?",
    "Tell me whether {name} has a {measure} of {amount}.",
    "{name}: {amount}, correct?",
    "Can it be said that the {measure} of {name} equals {amount}?",
    "I have {amount} down for {name}; is that right?",
    "Does the {measure} of {name} come to {amount}?",
    "Would {amount} be the correct {measure} for {name}?",
    "Do we read {amount} next to {name}?",
    "Someone claims that {name} has a {measure} of {amount}. Is it so?",
    "Did {name} get exactly {amount}?",
    "Could you confirm that {name} has {amount}?",
    "For {name}, is a {measure} of {amount} given?",
    "Are there {amount} {counted} for {name}?",
    "Is the figure belonging to {name} really {amount}?",
)
_IS_BEYOND = (
    "Is {name} more than {amount}?",
    "Is {name} above {amount}?",
    "Does {name} go over {amount}?",
    "Is the {measure} of {name} at least {amount}?",
    "Did {name} pass {amount}?",
    "Does {name} {verb} over {amount} {counted}?",
    "Does {name} exceed {amount}?",
    "Tell me whether the {measure} of {name} is above {amount}.",
    "Is {amount} exceeded by {name}?",
    "Has {name} got a {measure} of more than {amount}?",
    "Can {name} show more than {amount}?",
    "Is {name}'s {measure} greater than {amount}?",
    "Would you say that {name} is past {amount}?",
    "Was the mark of {amount} passed by {name} in {measure}?",
    "Over {amount} for {name}: true?",
    "Could you check whether {name} lies higher than {amount}?",
    "Is it the case that {name} surpasses {amount} in {measure}?",
    "Are there more than {amount} {counted} for {name}?",
    "Is the {measure} of {name} larger than {amount}?",
    "Is more than {amount} recorded for {name}?",
)
_IS_BELOW = (
    "Is {name} less than {amount}?",
    "Is {name} below {amount}?",
    "Does {name} stay under {amount}?",
    "Is the {measure} of {name} under {amount}?",
    "Does {name} {verb} less than {amount}?",
    "Does {name} {verb} fewer than {amount} {counted}?",
    "Does {name} fall short of {amount}?",
    "Tell me whether the {measure} of {name} is below {amount}.",
    "Has {name} got a {measure} of less than {amount}?",
    "Is {name}'s {measure} smaller than {amount}?",
    "Would you say that {name} is under {amount}?",
    "Under {amount} for {name}: true?",
    "Could you check whether {name} lies lower than {amount}?",
    "Is it the case that {name} remains below {amount} in {measure}?",
    "Are there fewer than {amount} {counted} for {name}?",
    "Is less than {amount} recorded for {name}?",
    "Does the {measure} of {name} fail to reach {amount}?",
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
    "Do you see {name} anywhere?",
    "Can {name} be found here?",
    "Is {name} mentioned?",
    "Tell me whether {name} is included.",
    "Does the list contain {name}?",
    "Is there an entry for {name}?",
    "{name}: is it there?",
    "Has {name} been entered as a {noun}?",
    "Are there any figures for {name}?",
    "Is something given for the {noun} {name}?",
    "Could you check whether {name} occurs?",
    "Would I find {name} among the {plural}?",
    "Is a {noun} by the name of {name} shown?",
    "Do the {plural} include {name}?",
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
    "Could you say what {other} {name} has?",
    "{name}: {other}?",
    "I'd like to know the {other} for {name}.",
    "Which of the {plural} has the {adjective} {other}?",
    "What is the total {other} of all {plural}?",
    "How does {name} do in terms of {other}?",
    "For {name}, which {other} is given?",
    "As regards {other}, where does {name} stand?",
    "What {other} was measured for {name}?",
    "Find the {noun} with the {adjective} {other}.",
    "What do we learn about the {other} of {name}?",
    "How high is the {other} of the {noun} {name}?",
    "When {name} is looked at, what {other} can be read?",
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
    ("Who drew this?", "The maker"),
    ("Which program was used to make it?", "A program"),
    ("What explains the figure for {name}?", "A reason"),
    ("For what reason is {name} where it is?", "A reason"),
    ("How will {name} develop from here?", "A forecast"),
    ("What is expected of {name} in the future?", "A forecast"),
    ("What was {name} the time before?", "An earlier figure"),
    ("By how much has {name} grown since last time?", "An earlier figure"),
    ("Tell me who looks after {name}.", "A person in charge"),
    ("How many people were asked for this survey?", "The number of people asked"),
    ("When was the data gathered?", "A time of collection"),
    ("What is the address of {name}?", "An address"),
    ("Which web page has more about {name}?", "A web page"),
    ("How can I get in touch with {name}?", "A contact"),
    ("What is the target for {name}?", "A target"),
    ("How reliable are these numbers?", "The reliability"),
    ("What is the world record in {measure}?", "A world record"),
    ("What margin of error does the {measure} have?", "A margin of error"),
    ("Who paid for this study?", "A sponsor"),
    ("How old is the founder of {name}?", "A founder"),
    ("Up to when is {name} open?", "A closing time"),
    ("How many members of staff work for {name}?", "Staff"),
    ("What is the postcode of {name}?", "A postcode"),
    ("Which colour did the author like best?", "A favourite colour"),
    ("Where could one buy {name}?", "A shop"),
    ("Who came up with the name {name}?", "The origin of the name"),
)


# One may be asked for where the other is told: "value" stands for any of them.
_ALIKE = (
    {"price", "cost", "revenue", "profit", "fee", "deposit", "budget", "sales"},
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


_LETTERS = ("ABCDE", "ABCDE", "abcde")
_OPTION_STYLES = (
    "({letter}) {option}",
    "{letter}) {option}",
    "{letter}. {option}",
    "{letter}: {option}",
    "({letter}). {option}",
    "({letter}): {option}",
    "{letter} {option}",
    "{letter} = {option}",
)


def with_letters(rng: random.Random, options: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(rng.choice(_LETTERS), options, strict=False))


def options_text(rng: random.Random, lettered: Sequence[tuple[str, str]]) -> str:
    """Of (letter, option) pairs."""
    style = rng.choice(_OPTION_STYLES)
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
    opening = rng.choice(
        (
            " ",
            "\n",
            " Options: ",
            " Choose from: ",
            " Pick one: ",
            "\nChoices: ",
            " Possible answers: ",
            " Which of these is it? ",
            "\nAnswer with one letter.\n",
            " Select the right letter: ",
            " You may choose between ",
            "\nIs it one of these?\n",
        )
    )
    lettered = with_letters(rng, options)
    question = lesson.question + opening + options_text(rng, lettered)
    return Lesson("choice", question, lesson.reasoning, among(lesson.boxed, lettered))


def among(boxed: str, lettered: Sequence[tuple[str, str]]) -> str:
    """The formula that finds the letter of what `boxed` says."""
    options = "; ".join(f"{letter} {option}" for letter, option in lettered)
    return f"= {boxed.removeprefix('= ')} among {options}"

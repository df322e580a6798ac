"""The reasoner that rewards: a program that answers from what a caption states, and nothing else.

It understands the recipe's statements ("fig: 34", "Highest: oak (80).") and questions, reads the
profile compact-v1, and boxes its answer as any reasoner does. It has nothing to be updated.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from racro.contracts.prompts import NOT_TOLD

_CAPTION = re.compile(
    r"Caption:\n(?P<caption>.*?)\n\n(?:Tentative[^:]*: (?P<tentative>.*?)\n\n)?"
    r"Question: (?P<asked>.*)",
    re.DOTALL,
)
_VALUE = re.compile(r"(?P<name>[^:\n]+): (?P<number>\d+)(?P<unit>%?)")
_END = re.compile(r"(?P<end>Highest|Lowest): (?P<name>[^\n]+) \((?P<number>\d+)(?P<unit>%?)\)\.")
_BOX = re.compile(r"\\boxed\{([^{}]*)\}")


@dataclass(frozen=True)
class Told:
    """`numbers` by name, in the order they are told in; `ends`: names of the highest and lowest."""

    numbers: Mapping[str, int]
    ends: Mapping[str, str]
    unit: str


def read(caption: str) -> Told:
    """Of what is told twice the first counts."""
    numbers: dict[str, int] = {}
    ends: dict[str, str] = {}
    unit = ""
    for line in map(str.strip, caption.splitlines()):
        if end := _END.fullmatch(line):
            ends.setdefault(end["end"], end["name"])
        if found := end or _VALUE.fullmatch(line):
            numbers.setdefault(found["name"], int(found["number"]))
            unit = found["unit"] or unit
    return Told(numbers, ends, unit)


def answer(message: str) -> str:
    """To the user's message of compact-v1; what the caption does not tell is taken from a tentative
    response, if there is one.
    """
    asked = _CAPTION.fullmatch(message)
    if asked is None:
        return _boxed(NOT_TOLD)
    found = _found(read(asked["caption"]), asked["asked"].strip())
    if found is None and asked["tentative"] and (guess := _BOX.search(asked["tentative"])):
        found = guess[1]
    return _boxed(found or NOT_TOLD)


def _boxed(text: str) -> str:
    return f"\\boxed{{{text}}}"


def _found(told: Told, question: str) -> str | None:
    for pattern, respond in _ANSWERS:
        if match := pattern.fullmatch(question):
            return respond(told, *match.groups())
    return None


def _value(told: Told, name: str) -> str | None:
    return f"{told.numbers[name]}{told.unit}" if name in told.numbers else None


def _sum(told: Told, *names: str) -> str | None:
    values = [told.numbers.get(name) for name in names]
    return None if None in values else f"{sum(filter(None, values))}{told.unit}"


def _difference(told: Told, a: str, b: str) -> str | None:
    if not {a, b} <= told.numbers.keys():
        return None
    return f"{told.numbers[a] - told.numbers[b]}{told.unit}"


def _higher(told: Told, a: str, b: str) -> str | None:
    return max(a, b, key=told.numbers.__getitem__) if {a, b} <= told.numbers.keys() else None


def _lower(told: Told, a: str, b: str) -> str | None:
    return min(a, b, key=told.numbers.__getitem__) if {a, b} <= told.numbers.keys() else None


def _highest(told: Told) -> str | None:
    """If it is not told, that of those which are."""
    return told.ends.get("Highest") or max(told.numbers, key=told.numbers.__getitem__, default=None)


def _lowest(told: Told) -> str | None:
    return told.ends.get("Lowest") or min(told.numbers, key=told.numbers.__getitem__, default=None)


def _around_triangle(told: Told) -> str | None:
    return str(sum(told.numbers.values())) if len(told.numbers) == 3 else None


def _around_rectangle(told: Told) -> str | None:
    if not {"length", "width"} <= told.numbers.keys():
        return None
    return str(2 * (told.numbers["length"] + told.numbers["width"]))


def _area(told: Told) -> str | None:
    if not {"length", "width"} <= told.numbers.keys():
        return None
    return str(told.numbers["length"] * told.numbers["width"])


_Respond = Callable[..., str | None]
_ANSWERS: tuple[tuple[re.Pattern[str], _Respond], ...] = tuple(
    (re.compile(question), respond)
    for respond, questions in (
        (_around_triangle, (
            r"What is the perimeter of the triangle\?",
            r"How long are the three sides together\?",
        )),
        (_around_rectangle, (r"What is the perimeter of the rectangle\?",)),
        (_area, (r"What is the area of the rectangle\?",)),
        (_highest, (r"Which is the highest\?", r"What has the highest value\?")),
        (_lowest, (r"Which is the lowest\?", r"What has the lowest value\?")),
        (_higher, (
            r"Which is higher, (.+) or (.+)\?",
            r"Is (.+) or (.+) the higher one\?",
        )),
        (_lower, (
            r"Which is lower, (.+) or (.+)\?",
            r"Is (.+) or (.+) the lower one\?",
        )),
        (_difference, (
            r"How much more is (.+) than (.+)\?",
            r"What is the difference of (.+) and (.+)\?",
        )),
        (_sum, (
            r"What is the sum of (.+) and (.+)\?",
            r"How much are (.+) and (.+) together\?",
        )),
        (_value, (
            r"What is the value of (.+)\?",
            r"How much is (.+)\?",
            r"Which number belongs to (.+)\?",
            r"How long is (.+)\?",
            r"What is the length of the side (.+)\?",
            r"What is the (length|width) of the rectangle\?",
            r"How many (.+) (?:are there|do you see)\?",
        )),
    )
    for question in questions
)  # fmt: skip

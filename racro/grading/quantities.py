r"""Numbers with units: `12 cm`, `-1,200.50`, `\frac{3}{4}`, `1 1/2`, `$5`, `2.5 million`, `50%`."""

import re
from dataclasses import dataclass
from fractions import Fraction

from racro.grading.units import counted, is_measure, known_unit

_NUMBER = re.compile(
    r"""
    (?P<money>[$€£¥₹]?)\s*(?P<sign>[-+]?)\s*(?P<money_behind>[$€£¥₹]?)\s*
    (?:
        (?:(?P<whole>\d+)\s*)?\\frac\s*
            (?:\{\s*(?P<over>\d+)\s*\}\s*\{\s*(?P<under>\d+)\s*\}|(?P<over_digit>\d)\s*(?P<under_digit>\d))
      | (?:(?P<slash_whole>\d+)\s+)?(?P<slash_over>\d+)\s*/\s*(?P<slash_under>\d+)(?![\d.])
      | (?P<european>
            \d{1,3}(?:(?:\.\d{3})+|(?:[ ]\d{3})+),(?:\d{1,2}|\d{4,})|\d{1,3}(?:\.\d{3}){2,}
        )(?![.,]?\d)
      | (?P<digits>(?:\d{1,3}(?:[, ']\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?!,?\d)
        (?:(?:[eE]|\s*(?:\\times|\\cdot|\*|x)\s*10\s*\^\s*)(?P<exponent>[-+]?\d{1,3}|\{[-+]?\d{1,3}\})(?!\d))?
    )
    (?P<scale>[kKMB](?![\w/^\\])|\s*(?i:hundred|thousand|million|billion|trillion|lakh|crore|dozen)\b|)
    (?P<unit>.*)
    """,
    re.VERBOSE,
)
_SCALES = {
    "": 1, "k": 10**3, "m": 10**6, "b": 10**9, "dozen": 12, "hundred": 100, "thousand": 10**3,
    "lakh": 10**5, "million": 10**6, "crore": 10**7, "billion": 10**9, "trillion": 10**12,
}  # fmt: skip
# As the scoring of VQA has them.
_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_DIGITS = {word: str(number) for number, word in enumerate(_WORDS)}
# How many significant digits make a rounded value of an expected answer, and of one that is given.
_EXPECTED_DIGITS = 2
_GIVEN_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Quantity:
    """`step` is the place of a decimal's last digit, None for what is exact as it is written;
    `is_abbreviated` tells a number like `5k`, whose letter may be a unit or a part of one as well.
    """

    value: Fraction
    step: Fraction | None = None
    digits: int = 0
    unit: str | None = None
    is_abbreviated: bool = False

    def rounds(self, exact: Fraction, *, digits: int) -> bool:
        """Whether this is a decimal of so many significant digits that `exact` rounds to."""
        if self.step is None or self.digits < digits:
            return False
        return abs(self.value - exact) <= self.step / 2


def quantity(text: str) -> Quantity | None:
    r"""None for what is more than a number, or other: `2x`, `5 or 6`, `\sqrt{2}`."""
    found = _NUMBER.fullmatch(_DIGITS.get(text.casefold(), text))
    if found is None:
        return None
    unit = None
    if money := found["money"] or found["money_behind"]:
        unit = known_unit(money + found["unit"])
    elif found["unit"].strip():
        unit = known_unit(found["unit"]) or counted(found["unit"])
    if unit is None and (money or found["unit"].strip()):
        return None
    scale = _SCALES[found["scale"].strip().lower()] * (-1 if found["sign"] == "-" else 1)
    return (
        _decimal(found, scale, unit)
        if found["digits"] or found["european"]
        else _fraction(found, scale, unit)
    )


def _decimal(found: re.Match[str], scale: int, unit: str | None) -> Quantity:
    digits = found["digits"] or found["european"].replace(".", "").replace(",", ".")
    digits = re.sub("[, ']", "", digits)
    power = Fraction(10) ** int((found["exponent"] or "0").strip("{}")) * scale
    _, point, places = digits.partition(".")
    return Quantity(
        value=Fraction(digits) * power,
        step=abs(power) / 10 ** len(places) if point else None,
        digits=len(digits.replace(".", "").lstrip("0")),
        unit=unit,
        is_abbreviated=found["scale"] in {*"kKMB"},
    )


def _fraction(found: re.Match[str], scale: int, unit: str | None) -> Quantity | None:
    over = found["over"] or found["over_digit"] or found["slash_over"]
    under = int(found["under"] or found["under_digit"] or found["slash_under"])
    if not under:
        return None
    whole = int(found["whole"] or found["slash_whole"] or 0)
    return Quantity((whole + Fraction(int(over), under)) * scale, unit=unit)


def agree(answer: Quantity, expected: Quantity) -> bool:
    if answer.unit == expected.unit:
        return same_value(answer, expected)
    if answer.unit is not None and expected.unit is not None:
        return False
    if any(
        one.is_abbreviated and one.unit is None and is_measure(other.unit)
        for one, other in ((answer, expected), (expected, answer))
    ):
        return False
    if "%" not in {answer.unit, expected.unit}:
        return same_value(answer, expected)
    if same_value(_share(answer), _share(expected)):
        return True
    # A bare number up to 1 is a share already: 0.5 is not 0.5%.
    bare = answer if answer.unit is None else expected
    return abs(bare.value) > 1 and same_value(answer, expected)


def same_value(answer: Quantity, expected: Quantity) -> bool:
    return (
        answer.value == expected.value
        or expected.rounds(answer.value, digits=_EXPECTED_DIGITS)
        or answer.rounds(expected.value, digits=_GIVEN_DIGITS)
    )


def _share(percentage: Quantity) -> Quantity:
    if percentage.unit != "%":
        return percentage
    step = None if percentage.step is None else percentage.step / 100
    return Quantity(percentage.value / 100, step, percentage.digits)


def without_unit(formula: str) -> tuple[str, str | None]:
    r"""(`2\sqrt{3}`, `cm`) of `2\sqrt{3} cm`. A letter of a formula with variables is no unit."""
    for gap in re.finditer(r"(?<=[\d})\s])(?=[A-Za-z°%μΩ]|\\(?:Omega|mu)(?![a-z]))", formula):
        body, unit = formula[: gap.start()].strip(), known_unit(formula[gap.start() :])
        if body and unit and not re.search("[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", body)):
            return body, unit
    return formula, None

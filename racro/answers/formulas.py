r"""Formulas that a reasoner boxes in place of their results, worked out here.

A model of some hundred million parameters reads and copies well and calculates badly. Under
compact-v1 it therefore writes down what is to be calculated, and code calculates, as in
program-aided language models (Gao et al. 2022, arXiv 2211.10435). Like a spreadsheet's, a formula
begins with "=", so that "10 - 12 years" remains what it says:

    = $5.74 + $11.83                              $17.57
    = 2 × (12 m + 5 m)                            34 m
    = √(6² + 8²)                                  10
    = 220 > 182                                   yes
    = highest: Maths 220; History 182             Maths (lowest: as well)
    = sum: Maths 220; History 182                 402
    = count: Maths; History                       2
    = count over 200: Maths 220; History 182      1 (under, at least, at most: as well)
    = 161 - 78 among A 60; B 83                   B
    = Tombola among A Band; B Tombola             B
"""

import ast
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException

# A term that is longer was not read off a caption; and terms are parsed by recursion.
_LONGEST_TERM = 200
# A list that is longer was not read off one, either; and each of its entries is parsed.
_LONGEST_FORMULA = 1000
_FORMULA = re.compile(r"=\s*(?P<text>.+)", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<prefix>[$€£]?)(?P<number>\d[\d,]*(?:\.\d+)?)|(?P<sign>[-−+×/()²√]))"
    r"(?P<unit>\s?(?:°[CF]?|[%$€£](?!\d)|[A-Za-zÀ-ÖØ-öø-ÿΩµ]+[²³]?(?:/[A-Za-z]+)?)|/[A-Za-z]+)?"
)
_AS_PYTHON = {"×": "*", "−": "-", "²": "**2", "√": "sqrt"}
_COMPARED = re.compile(r"(?P<left>[^<>=]+) (?P<sign>[<>]=?|=) (?P<right>[^<>=]+)")
_OVER_ENTRIES = re.compile(
    r"(?P<what>highest|lowest|sum|count)"
    r"(?: (?P<side>over|under|at least|at most) (?P<limit>.+?))?"
    r": (?P<entries>.+)",
    re.DOTALL,
)
_TIME = re.compile(r"(?P<hours>\d{1,2}):(?P<minutes>\d{2})")
_ENTRY = re.compile(rf"(?:(?P<label>.*)\s)?(?P<amount>{_TIME.pattern}|[$€£]?-?\d[^:;]*)", re.DOTALL)
_OPTION = re.compile(r"\(?(?P<letter>[A-Ha-h1-8])\b[).:]?\s*(?P<text>.+)", re.DOTALL)
_COMPARISONS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
}
_SIDES = {"over": ">", "under": "<", "at least": ">=", "at most": "<="}
_OPERATIONS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class _NotAFormulaError(Exception):
    """What stands there cannot be calculated."""


@dataclass(frozen=True)
class _Quantity:
    """A number as it is printed: its unit before and after, its places, its thousands grouped."""

    number: Decimal
    prefix: str = ""
    unit: str = ""
    places: int | None = None
    grouped: bool = False

    def __str__(self) -> str:
        number = self.number.quantize(
            Decimal(1).scaleb(-(4 if self.places is None else self.places))
        )
        text = f"{number:,f}" if self.grouped else f"{number:f}"
        if self.places is None and "." in text:
            text = text.rstrip("0").rstrip(".")
        return f"{self.prefix}{text}{self.unit}"

    @property
    def measured_in(self) -> tuple[str, str]:
        return self.prefix, self.unit.strip()


def worked_out(answer: str) -> str:
    """The result of a formula; what is none, or cannot be calculated, as it stands."""
    formula = _FORMULA.fullmatch(answer.strip())
    if formula is None:
        return answer
    text = formula["text"].strip()
    if len(text) > _LONGEST_FORMULA:
        return text
    try:
        return _result(text)
    except (_NotAFormulaError, DecimalException):
        return text


def _result(text: str) -> str:
    formula, among, options = text.partition(" among ")
    if among:
        return _option(formula, options.split(";"))
    if over := _OVER_ENTRIES.fullmatch(formula):
        return _over_entries(over)
    if compared := _COMPARED.fullmatch(formula):
        left, right = _quantity(compared["left"]), _quantity(compared["right"])
        _check_units([left, right])
        return "yes" if _COMPARISONS[compared["sign"]](left.number, right.number) else "no"
    return formula if _TIME.fullmatch(formula) else str(_quantity(formula))


def _option(formula: str, options: Sequence[str]) -> str:
    """The letter of the option that the formula or its result is."""
    offered = list(filter(None, map(_OPTION.fullmatch, map(str.strip, options))))
    # By its text first: "55-64" is a name, and not the 9 that "35-44" would be, too.
    if found := _letter(formula, offered, _folded):
        return found
    result = _result(formula)
    found = _letter(result, offered, _folded) or _letter(result, offered, _number)
    if found is None:
        raise _NotAFormulaError
    return found


def _letter(
    result: str, offered: Sequence[re.Match[str]], read: Callable[[str], str | Decimal | None]
) -> str | None:
    """The letter of the first option that reads as the result does."""
    wanted = read(result)
    if wanted is None:
        return None
    return next((option["letter"] for option in offered if read(option["text"]) == wanted), None)


def _folded(text: str) -> str:
    return text.strip().casefold()


def _number(text: str) -> Decimal | None:
    try:
        return _quantity(text).number
    except _NotAFormulaError:
        return None


def _over_entries(formula: re.Match[str]) -> str:
    pieces = [piece.strip() for piece in formula["entries"].split(";")]
    if formula["what"] == "count" and formula["limit"] is None:
        return str(len(pieces))
    entries = [_entry(piece) for piece in pieces]
    amounts = [amount for _, amount in entries]
    _check_units(amounts)
    if formula["what"] == "sum":
        total = sum((amount.number for amount in amounts), Decimal(0))
        return str(_in_unit_of(amounts, total))
    if formula["what"] == "count":
        limit = _quantity(formula["limit"] or "").number
        beyond = _COMPARISONS[_SIDES[formula["side"]]]
        return str(sum(beyond(amount.number, limit) for amount in amounts))
    ends = max if formula["what"] == "highest" else min
    end = ends(amount.number for amount in amounts)
    return " and ".join(label for label, amount in entries if amount.number == end)


def _entry(piece: str) -> tuple[str, _Quantity]:
    # From every space on, the search for an amount may go to the end: it begins near that.
    found = _ENTRY.fullmatch(piece, max(0, len(piece) - _LONGEST_TERM - 1))
    if found is None:
        raise _NotAFormulaError
    label = piece[: max(0, found.start("amount") - 1)]
    return (label or found["amount"]).strip(" :"), _quantity(found["amount"])


def _check_units(quantities: Sequence[_Quantity]) -> None:
    """Metres and kilometres are not compared, but a bare number goes with either."""
    if len({quantity.measured_in for quantity in quantities} - {("", "")}) > 1:
        raise _NotAFormulaError


def _in_unit_of(
    quantities: Sequence[_Quantity], number: Decimal, *, exact: bool = True
) -> _Quantity:
    measured = next((one for one in quantities if one.measured_in != ("", "")), quantities[0])
    needed = -int(number.normalize().as_tuple().exponent)
    places = max(needed, *(one.places or 0 for one in quantities)) if exact else None
    grouped = any(one.grouped for one in quantities)
    return _Quantity(number, measured.prefix, measured.unit, places, grouped)


def _quantity(text: str) -> _Quantity:
    """An amount or a term; a difference without its sign, whichever came first."""
    amounts: list[_Quantity] = []
    source, at = "", 0
    text = text.strip()
    if time := _TIME.fullmatch(text):
        return _Quantity(Decimal(time["hours"]) * 60 + Decimal(time["minutes"]), unit=" min")
    if len(text) > _LONGEST_TERM:
        raise _NotAFormulaError
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _NotAFormulaError
        at = token.end()
        unit = token["unit"] or ""
        if token["number"]:
            number = Decimal(token["number"].replace(",", ""))
            places = -int(number.as_tuple().exponent)
            amounts.append(_Quantity(number, token["prefix"], unit, places, "," in token["number"]))
            source += f" {number:f}"
        else:
            source += _AS_PYTHON.get(token["sign"], token["sign"])
            if unit:
                amounts.append(_Quantity(Decimal(0), unit=unit, places=0))
    if len(amounts) == 1 and source == f" {amounts[0].number:f}":
        return amounts[0]
    _check_units(amounts)
    try:
        term = ast.parse(source.strip(), mode="eval").body
    except SyntaxError:
        raise _NotAFormulaError from None
    number = _value(term, source.strip())
    if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Sub):
        number = abs(number)
    exact = not any(sign in source for sign in ("/", "sqrt"))
    return _in_unit_of(amounts, number, exact=exact)


def _value(term: ast.expr, source: str) -> Decimal:
    match term:
        case ast.Constant():
            return Decimal(ast.get_source_segment(source, term) or "")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, source)
        case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=2)):
            return _value(base, source) ** 2
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _OPERATIONS[type(op)](_value(left, source), _value(right, source))
        case ast.Call(func=ast.Name(id="sqrt"), args=[inner]):
            return _value(inner, source).sqrt()
    raise _NotAFormulaError

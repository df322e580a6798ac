r"""Lists, sets, tuples, intervals: `red and blue`, `\{1, 2\}`, `(3, 4]`, `x = 1 or x = 2`."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from racro.grading.text import is_bracketed, split_outside_brackets

_SEPARATOR = re.compile(r",?\s*\b(?:and|or)\b|[,;]")
_OR = re.compile(r"\bor\b")
_PLUS_OR_MINUS = r"\pm"
# Where nothing stands before it, a plus says nothing.
# With decimals it gives a tolerance, as in `5 \pm 0.1 cm`; behind `x =` it gives two values.
_MEASURED = re.compile(
    r"-?(?:\d+\.\d+\s*\\pm\s*\d+(?:\.\d+)?|\d+\s*\\pm\s*\d+\.\d+)(?![\d.*/^+-]).*"
)
_LEADING = re.compile(r"(^|[=({])\s*\\pm\s*")


class Items(NamedTuple):
    r"""`brackets` are the two around a tuple or an interval, where the order counts; `is_measured`
    tells a measurement with its uncertainty, whose ends are no two answers.
    """

    brackets: str
    inside: str
    items: Sequence[str]
    is_measured: bool = False

    @property
    def named(self) -> bool:
        return all("=" in item for item in self.items)

    @property
    def of_one_name(self) -> bool:
        """`x = 1 or x = 2`: the values of x, whatever joins them and in any order."""
        return self.named and len({item.split("=")[0].strip() for item in self.items}) == 1

    @property
    def alternatives(self) -> bool | None:
        r"""Whether "or" joins them; None for `\pm`, which "and" may join as well."""
        return None if self.inside == _PLUS_OR_MINUS else _OR.search(self.inside) is not None


def listed(text: str) -> Items | None:
    """None where it is one item."""
    brackets, inside = "", text.replace(r"\{", "{").replace(r"\}", "}")
    if is_bracketed(inside):
        brackets = (inside[0] + inside[-1]).replace("{}", "")
        inside = inside[1:-1]
    if not brackets and inside.count(_PLUS_OR_MINUS) == 1 and not _SEPARATOR.search(inside):
        plus, minus = _LEADING.sub(r"\1", inside), _LEADING.sub(r"\1-", inside)
        # `2 - 1` would be a range.
        signed = plus.replace(_PLUS_OR_MINUS, "+"), minus.replace(_PLUS_OR_MINUS, "+ -")
        is_measured = _MEASURED.fullmatch(inside) is not None
        return Items("", _PLUS_OR_MINUS, signed, is_measured)
    items = split_outside_brackets(inside, _SEPARATOR)
    return Items(brackets, inside, items) if len(items) > 1 and all(items) else None


def same_items(answer: Items, expected: Items, same: Callable[[str, str], bool]) -> bool:
    if answer.brackets != expected.brackets or len(answer.items) != len(expected.items):
        return False
    if answer.is_measured != expected.is_measured:
        return False
    of_one_name = answer.of_one_name or expected.of_one_name
    joined = {answer.alternatives, expected.alternatives} - {None}
    if len(joined) > 1 and not of_one_name:
        return False
    # `x = 2, y = 3` without its names is what it is only in its order.
    if answer.brackets or (answer.named != expected.named and not of_one_name):
        return all(map(same, answer.items, expected.items))
    return _same_in_any_order(Counter(answer.items), Counter(expected.items), same)


def _same_in_any_order(
    answer: Counter[str], expected: Counter[str], same: Callable[[str, str], bool]
) -> bool:
    # Equal texts first: 3.14 is right for 3.1 as well, and would take it from 3.1.
    left = list((expected - answer).elements())
    for item in (answer - expected).elements():
        found = next((other for other in left if same(item, other)), None)
        if found is None:
            return False
        left.remove(found)
    return True

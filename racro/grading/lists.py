r"""Lists, sets, tuples, intervals: `red and blue`, `\{1, 2\}`, `(3, 4]`, `x = 1 or x = 2`."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from racro.grading.text import is_bracketed, split_outside_brackets

_SEPARATOR = re.compile(r",?\s*\b(?:and|or)\b|[,;]")
_OR = re.compile(r"\bor\b")
_SIGNED = re.compile(r"\\pm\s*(\S.*)")


class Items(NamedTuple):
    """`brackets` are the two around a tuple or an interval, where the order counts."""

    brackets: str
    inside: str
    items: Sequence[str]

    @property
    def named(self) -> bool:
        return all("=" in item for item in self.items)

    @property
    def alternatives(self) -> bool:
        return _OR.search(self.inside) is not None


def listed(text: str) -> Items | None:
    """None where it is one item."""
    if signed := _SIGNED.fullmatch(text):
        return Items("", "", (signed[1], f"-{signed[1]}"))
    brackets, inside = "", text.replace(r"\{", "{").replace(r"\}", "}")
    if is_bracketed(inside):
        brackets = (inside[0] + inside[-1]).replace("{}", "")
        inside = inside[1:-1]
    items = split_outside_brackets(inside, _SEPARATOR)
    return Items(brackets, inside, items) if len(items) > 1 and all(items) else None


def same_items(answer: Items, expected: Items, same: Callable[[str, str], bool]) -> bool:
    if answer.brackets != expected.brackets or len(answer.items) != len(expected.items):
        return False
    if answer.alternatives != expected.alternatives:
        return False
    # `x = 2, y = 3` without its names is what it is only in its order.
    if answer.brackets or answer.named != expected.named:
        return all(map(same, answer.items, expected.items))
    return _same_in_any_order(answer.items, list(expected.items), same)


def _same_in_any_order(
    answer: Sequence[str], expected: list[str], same: Callable[[str, str], bool]
) -> bool:
    for item in answer:
        found = next((other for other in expected if same(item, other)), None)
        if found is None:
            return False
        expected.remove(found)
    return True

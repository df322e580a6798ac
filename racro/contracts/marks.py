"""Limits how many combining marks stand in a row, which Unicode's normal forms put in order.

Ordering takes time quadratic in their number.
"""

import re
from unicodedata import combining

# As Unicode's Stream-Safe Text Format has it (UAX #15): more than any language writes.
MOST_MARKS = 30

# No mark is a letter or a digit: rows of what may be marks are rare, and read one by one.
_POSSIBLE_MARKS = re.compile(rf"[^\w\x00-\u02ff]{{{MOST_MARKS + 1},}}")
# Vowel signs of Tibetan, which are no marks by their own class and decompose into two.
_TWO_MARKS = frozenset("\u0f73\u0f75\u0f81")


def limit_marks(text: str) -> str:
    """Return the text without the combining marks that follow thirty others."""
    return _POSSIBLE_MARKS.sub(_limit_row, text)


def _limit_row(possible: re.Match[str]) -> str:
    kept, marks = [], 0
    for character in possible[0]:
        is_mark = combining(character) or character in _TWO_MARKS
        marks = marks + 1 if is_mark else 0
        if marks <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)

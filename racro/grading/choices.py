"""Which option an answer names."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from racro.grading.text import plain

# A letter in brackets before an operator begins a formula; in `(B) -5` that is a sign.
_LED = re.compile(
    r"(?:(?i:option|choice|answer)\s*:?\s*)?"
    r"(?:[(\[](?P<bracketed>[A-Za-z])[)\]](?!\s*(?:[*/^!_=]|\\(?:times|cdot|cup|cap)\b)|[-+]|\s[-+]\s)"
    r"|(?P<bare>[A-Za-z])(?![A-Za-z]))"
    r"(?P<mark>[).:,]*)\s*(?P<text>.*)",
    re.DOTALL,
)
_ONE = r"[(\[]?([A-Za-z])[)\]]?"
_SEVERAL = re.compile(rf"{_ONE}(?:\s*(?:,\s*and\b|,|;|&|\band\b)\s*{_ONE})+")
_ANOTHER = re.compile(
    rf"(?:^|[,/&;(]|\b(?:or|and|option|choice)\b)\s*{_ONE}(?=$|\s*[,/&;.:)]|\s+(?:or|and)\b)"
)
_WITHOUT_OPTIONS = frozenset("ABCDEFGHIJ")


class Choice(NamedTuple):
    """`B. 12 cm`: a letter, and what stands behind it."""

    letter: str
    text: str


def same_letter(answer: str, expected: str) -> bool | None:
    """Of a problem whose options are not known; None where a letter does not decide.

    One side has to be a letter alone: `A. Smith` and `A. Jones` are two people.
    """
    ours, theirs = _led(answer), _led(expected)
    if ours is None or theirs is None or (ours.text and theirs.text):
        return None
    return ours.letter == theirs.letter


def _led(text: str, options: Mapping[str, str] | None = None) -> Choice | None:
    """None where no letter leads it, or where it names another as well."""
    found = _LED.fullmatch(text)
    if found is None:
        return None
    choice = Choice((found["bracketed"] or found["bare"]).upper(), found["text"])
    if choice.letter not in (_WITHOUT_OPTIONS if options is None else options):
        return None
    if options and choice.text.casefold() == plain(options[choice.letter]).casefold():
        return choice
    # In formulas a small letter, or one before a comma, may be a variable.
    marks = ").:" if options is None else ").:,"
    parted = not choice.text or found["bracketed"] or found["mark"][:1] in {*marks}
    return choice if parted and not _ANOTHER.search(choice.text) else None


def chosen(text: str, options: Mapping[str, str]) -> frozenset[str] | None:
    """The letters that it names, all of them options, by themselves or by the text of one."""
    exact = [letter for letter, option in options.items() if option == text]
    # An option's letter is that option, also where it is another one's text.
    if len(exact) == 1 and text.upper() not in options:
        return frozenset(exact)
    if choice := _led(text, options):
        return frozenset(choice.letter)
    letters = re.findall(r"\b[A-Z]\b", text.upper()) if _SEVERAL.fullmatch(text) else list(text)
    several = len(letters) > 1 and len(set(letters)) == len(letters)
    return frozenset(letters) if several and set(letters) <= set(options) else None


def expected_options(expected: str, options: Mapping[str, str]) -> frozenset[str] | None:
    """By letters, else by the text of one option."""
    if letters := chosen(expected, options):
        return letters
    told = [letter for letter, text in options.items() if text.casefold() == expected.casefold()]
    return frozenset(told) if len(told) == 1 else None


def right_option(
    answer: str,
    wanted: frozenset[str],
    options: Mapping[str, str],
    same: Callable[[str, str], bool],
) -> bool:
    if (letters := chosen(answer, options)) is not None:
        return letters == wanted
    return {letter for letter, text in options.items() if same(answer, text)} == wanted

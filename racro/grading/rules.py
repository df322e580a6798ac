"""The rules in their order: see the package's docstring."""

import re
from collections.abc import Callable, Mapping
from functools import partial

from racro.grading.lists import listed, same_items
from racro.grading.options import expected_options, right_option, same_letter
from racro.grading.quantities import agree, quantity, without_unit
from racro.grading.text import LONGEST_ANSWER, is_bracketed, plain, same_words

_NAMED = re.compile(
    r"(?P<name>(?!\\(?:sqrt|frac|sin|cos|tan|log|ln))[A-Za-z\\][\w\\ {}']{0,30}(?:\([A-Za-z]\))?)"
    r"\s*(?:=|\\approx)\s*(?P<value>[^=<>]+)"
)
_NAME_MARKS = re.compile(r"[\s{}\\]")
_APPROXIMATE = re.compile(r"^\\approx\s*")
_RELATION = re.compile(r"[=<>]|\\(?:le|ge|ne|lt|gt|approx)(?![a-z])")
_COMMAND = re.compile(r"\\(?:begin|end)\{[a-z]*\}|\\[A-Za-z]+")
_FORMULA = re.compile(r"[\d+*/^<>=|!\\-]")
# Words, and a digit behind a letter: math-verify would multiply the letters of `no` and of `H2O`.
_NO_FORMULA = re.compile(r"[^\W\d_]{3,}|(?<!\S)[^\W\d_]{2}(?!\S)|[A-Za-z]\d|[:$%°#?']|[^\x00-\x7f]")

Algebra = Callable[[str, str], bool]


class Ungradable(ValueError):
    """The expected answer is empty, or none of the options."""


def is_right(answer: str, expected: str, options: Mapping[str, str] = {}) -> bool:
    """Whether `answer` is `expected`. Algebra may take for ever: a `Grader` bounds it.

    Raises Ungradable.
    """
    return judge(answer, expected, options, algebra=_same_formula)


def _same_formula(answer: str, expected: str) -> bool:
    from racro.grading.algebra import same_formula  # noqa: PLC0415 - it takes a second

    return same_formula(answer, expected)


def judge(answer: str, expected: str, options: Mapping[str, str], *, algebra: Algebra) -> bool:
    """`algebra` is asked last, about what may be two formulas. Raises Ungradable."""
    answer, expected = plain(answer), plain(expected)
    if not expected:
        raise Ungradable("the expected answer is empty")
    same = partial(_same, algebra=algebra)
    if options:
        texts = {letter.strip().upper(): plain(text) for letter, text in options.items()}
        wanted = expected_options(expected, texts)
        if wanted is None:
            raise Ungradable(f"the expected answer is none of the options {', '.join(texts)}")
        return right_option(answer, wanted, texts, same)
    by_letter = same_letter(answer, expected)
    return same(answer, expected) if by_letter is None else by_letter


def _same(answer: str, expected: str, *, algebra: Algebra) -> bool:
    if answer == expected:
        return True
    if not answer or not expected or max(len(answer), len(expected)) > LONGEST_ANSWER:
        return False
    answer, expected = _without_names(_bare(answer), _bare(expected))
    ours, theirs = quantity(answer), quantity(expected)
    if ours and theirs:
        return agree(ours, theirs)
    return same_words(answer, expected) or _same_parts(answer, expected, algebra)


def _same_parts(answer: str, expected: str, algebra: Algebra) -> bool:
    # `1,200` has a comma and is no list.
    ours, theirs = (None if quantity(text) else listed(text) for text in (answer, expected))
    if ours and theirs:
        return same_items(ours, theirs, partial(_same, algebra=algebra))
    return not (ours or theirs) and _same_formulas(answer, expected, algebra)


def _bare(text: str) -> str:
    text = _APPROXIMATE.sub("", text)
    while text.startswith("(") and text.endswith(")") and is_bracketed(text) and not listed(text):
        text = text[1:-1].strip()
    return text


def _without_names(answer: str, expected: str) -> tuple[str, str]:
    """`5` of `x = 5`, unless the other side says that it is about something else."""
    ours, theirs = _NAMED.fullmatch(answer), _NAMED.fullmatch(expected)
    if ours and theirs:
        same_name = _NAME_MARKS.sub("", ours["name"]) == _NAME_MARKS.sub("", theirs["name"])
        return (ours["value"], theirs["value"]) if same_name else (answer, expected)
    if ours and not _RELATION.search(expected):
        return ours["value"], expected
    if theirs and not _RELATION.search(answer):
        return answer, theirs["value"]
    return answer, expected


def _same_formulas(answer: str, expected: str, algebra: Algebra) -> bool:
    (answer, our_unit), (expected, their_unit) = without_unit(answer), without_unit(expected)
    units = {our_unit, their_unit}
    if len(units) > 1 and (None not in units or "%" in units):
        return False
    if bool(_RELATION.search(answer)) != bool(_RELATION.search(expected)):
        return False
    return _may_be_formula(answer) and _may_be_formula(expected) and algebra(answer, expected)


def _may_be_formula(text: str) -> bool:
    if quantity(text):
        return True
    bare = _COMMAND.sub(r"\\", text)
    return bool(_FORMULA.search(bare)) and not _NO_FORMULA.search(bare)

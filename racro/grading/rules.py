"""The rules in their order: see the package's docstring."""

import re
from collections.abc import Callable, Mapping
from functools import partial

from racro.grading.choices import expected_options, right_option, same_letter
from racro.grading.lists import Items, listed, same_items
from racro.grading.quantities import agree, quantity, without_unit
from racro.grading.sets import solutions
from racro.grading.text import LONGEST_ANSWER, is_bracketed, plain, same_words

# What of LaTeX may be in a name; the rest are functions.
_NAME_COMMAND = (
    r"\\(?:angle|triangle|overline|overrightarrow|widehat|bar|hat|vec|[Dd]elta|alpha|beta|gamma"
    r"|theta|phi|lambda|mu|rho|sigma|omega|tau|epsilon|eta)(?![a-z])"
)
_NAMED = re.compile(
    r"(?P<name>(?![^=]*\b(?:not|no|never|wrong|incorrect|false)\b)"
    rf"(?:[A-Za-z]|{_NAME_COMMAND})(?:[\w {{}}']|{_NAME_COMMAND}){{0,30}}(?:\([A-Za-z]\))?)"
    r"\s*(?:=|\\approx)\s*(?P<value>[^=<>]+)"
)
_NAME_MARKS = re.compile(r"[\s{}\\]")
_APPROXIMATE = re.compile(r"^\\approx\s*")
_RELATION = re.compile(r"[=<>]|\\(?:le|ge|ne|lt|gt|approx)(?![a-z])")
_COMMAND = re.compile(r"\\(?:begin|end)\{[a-z]*\}|\\[A-Za-z]+")
_FORMULA = re.compile(r"[\d+*/^<>=|!\\-]")
# Ranges, dates, scores, sizes: what is computed of them is not what they say.
_FIGURES = re.compile(r"-?[\d.,]+(?:\s*(?:-|\\times|/\s*\d+\s*/)\s*[\d.,]+)+")
# What math-verify takes for a product or for nothing: the letters of `no` and of `H2O`, the
# base of 101_2, the inverse of f^{-1}(x).
_NO_FORMULA = re.compile(
    r"[^\W\d_]{3,}|(?<!\S)[^\W\d_]{2}(?!\S)|[A-Za-z]\d|[\d)]\s*_|[A-Za-z]\^\{-1\}\s*\("
    r"|[:$%°#?'~]|[^\x00-\x7f]"
)

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
    same_set = _same_solutions(answer, expected, algebra)
    if same_set is not None:
        return same_set
    ours, theirs = _listed(answer, beside=expected), _listed(expected, beside=answer)
    if ours and theirs:
        return same_items(ours, theirs, partial(_same, algebra=algebra))
    return not (ours or theirs) and _same_formulas(answer, expected, algebra)


def _same_solutions(answer: str, expected: str, algebra: Algebra) -> bool | None:
    r"""Whether the sets are the same; None where neither side speaks of a variable's values.

    A side without a name may be a set itself: `(-\infty, 3)`.
    """
    ours, theirs = solutions(answer), solutions(expected)
    if ours is None and theirs is None:
        return None
    if ours and theirs and ours.name != theirs.name:
        return False
    our_set = ours.values if ours else answer
    their_set = theirs.values if theirs else expected
    return _same(our_set, their_set, algebra=algebra)


def _listed(text: str, *, beside: str) -> Items | None:
    """`1,200` is a number; `100,200,300` may be three numbers, and is beside a list of three."""
    items, others = listed(text), listed(beside)
    if items is None or not quantity(text):
        return items
    return items if others and len(others.items) == len(items.items) > 2 else None  # noqa: PLR2004


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
    if _FIGURES.fullmatch(text):
        return False
    bare = _COMMAND.sub(r"\\", text)
    return bool(_FORMULA.search(bare)) and not _NO_FORMULA.search(bare)

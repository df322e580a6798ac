"""Is an answer right? For the short answers of the embedded default's evaluation."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from experiments.embedded_accuracy.items import NOT_TOLD, Question


class Verdict(StrEnum):
    """REFUSED: "the caption does not tell" where it does."""

    RIGHT = "right"
    WRONG = "wrong"
    REFUSED = "refused"


_NUMBER = re.compile(
    r"(?P<sign>[-−]?)\s*[$€£]?\s*(?P<digits>\d[\d,]*(?:\.\d+)?|\.\d+)\s*(?P<unit>[^\d]{0,20})"
)
_REFUSAL = re.compile(
    r"not (?:tell|told|say|said|stated?|given|mentioned|shown|specified|provided|printed|known"
    r"|available|in the caption|enough information|possible to)|does(?:n't| not) (?:tell|say|state"
    r"|mention|specify|provide|contain|give|hold|include)|cannot be (?:determined|answered|told)"
    r"|unknown|no information",
    re.IGNORECASE,
)


def refused(answer: str) -> bool:
    return _REFUSAL.search(answer) is not None


def grade(question: Question, answer: str) -> Verdict:
    if question.expected == NOT_TOLD:
        return Verdict.RIGHT if refused(answer) else Verdict.WRONG
    if same(answer, question.expected):
        return Verdict.RIGHT
    return Verdict.REFUSED if refused(answer) else Verdict.WRONG


def same(answer: str, expected: str) -> bool:
    """Numbers by value, whatever their unit's spelling; words without case, article and stop."""
    ours, theirs = _number(answer), _number(expected)
    if ours is not None and theirs is not None:
        return ours == theirs
    return _plain(answer) == _plain(expected)


def _number(text: str) -> Decimal | None:
    found = _NUMBER.fullmatch(text.strip().rstrip("."))
    if found is None:
        return None
    return Decimal(("-" if found["sign"] else "") + found["digits"].replace(",", ""))


def _plain(text: str) -> str:
    words = re.sub(r"[^\w\s]", " ", text.casefold()).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] == "the" else words)


@dataclass(frozen=True)
class Share:
    """`part` of `whole`, with Wilson's 95% interval (Wilson 1927)."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if not self.whole:
            return 0.0, 1.0
        z2 = 1.96**2
        middle = (self.part + z2 / 2) / (self.whole + z2)
        doubt = self.value * (1 - self.value) + z2 / (4 * self.whole)
        half = 1.96 * (doubt * self.whole) ** 0.5 / (self.whole + z2)
        return max(0.0, middle - half), min(1.0, middle + half)

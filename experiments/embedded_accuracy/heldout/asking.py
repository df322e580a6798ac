"""Questions about what is printed, their answers computed from the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Literal

from experiments.embedded_accuracy.items import NOT_TOLD, Question, QuestionClass

LETTERS = "ABCDE"
OPTIONS = 4


def missing(text: str) -> Question:
    """A question whose answer is not in the picture."""
    return Question(text, "unanswerable", NOT_TOLD)


def stated(asks: QuestionClass, text: str, expected: str) -> Question:
    return Question(text, asks, expected)


def letter_choice(rng: Random, text: str, right: str, others: Sequence[str]) -> Question:
    wrong = rng.sample(list(others), min(OPTIONS - 1, len(others)))
    options = [right, *wrong]
    rng.shuffle(options)
    listed = " ".join(f"({LETTERS[i]}) {option}" for i, option in enumerate(options))
    return Question(f"{text} {listed}", "choice", LETTERS[options.index(right)])


@dataclass(frozen=True)
class Words:
    """A column of text: one word for each label."""

    rng: Random
    labels: tuple[str, ...]
    printed: tuple[str, ...]

    def lookup(self, template: str) -> Question:
        """`template` has a place for the label."""
        index = self.rng.randrange(len(self.labels))
        return Question(template.format(self.labels[index]), "lookup", self.printed[index])

    def name_of(self, template: str) -> Question:
        """`template` has a place for a word or value that is printed once."""
        once = [i for i, word in enumerate(self.printed) if self.printed.count(word) == 1]
        index = self.rng.choice(once)
        return Question(template.format(self.printed[index]), "lookup", self.labels[index])

    def tally(self, text: str) -> Question:
        return Question(text, "counting", str(len(self.labels)))

    def matching(self, template: str) -> Question:
        word = self.rng.choice(self.printed)
        return Question(template.format(word), "counting", str(self.printed.count(word)))

    def choice_value(self, template: str) -> Question:
        """`template` has a place for a label; the options are printed values."""
        index = self.rng.randrange(len(self.labels))
        others = sorted(set(self.printed) - {self.printed[index]})
        text = template.format(self.labels[index])
        return letter_choice(self.rng, text, self.printed[index], others)


@dataclass(frozen=True)
class Numbers(Words):
    """A series of distinct numbers, one for each label, as they are printed with `form`."""

    values: tuple[float, ...]
    form: str

    def _ranked(self) -> list[int]:
        """Positions of the labels, from the greatest value down."""
        return sorted(range(len(self.values)), key=lambda i: -self.values[i])

    def _ranked_pair(self) -> tuple[int, int]:
        first, second = self.rng.sample(range(len(self.values)), 2)
        return (first, second) if self.values[first] > self.values[second] else (second, first)

    def _printed_as(self, value: float) -> str:
        return self.form.format(round(value, 2))

    def _of_rank(self, text: str, rank: int) -> Question:
        return Question(text, "comparison", self.labels[self._ranked()[rank]])

    def most(self, text: str) -> Question:
        return self._of_rank(text, 0)

    def second(self, text: str) -> Question:
        return self._of_rank(text, 1)

    def least(self, text: str) -> Question:
        return self._of_rank(text, -1)

    def together(self, template: str) -> Question:
        """`template` has places for as many labels as are to be added."""
        chosen = self.rng.sample(range(len(self.values)), template.count("{}"))
        text = template.format(*(self.labels[i] for i in chosen))
        return Question(text, "arithmetic", self._printed_as(sum(self.values[i] for i in chosen)))

    def gap(self, template: str) -> Question:
        """`template` has a place for the greater label, then for the smaller one."""
        more, less = self._ranked_pair()
        text = template.format(self.labels[more], self.labels[less])
        difference = self.values[more] - self.values[less]
        return Question(text, "arithmetic", self._printed_as(difference))

    def outdoes(self, template: str, answer: Literal["yes", "no"]) -> Question:
        """`template` claims that its first label has the greater value."""
        more, less = self._ranked_pair()
        first, second = (more, less) if answer == "yes" else (less, more)
        text = template.format(self.labels[first], self.labels[second])
        return Question(text, "yes_no", answer)

    def _limit(self) -> tuple[str, int]:
        """A value between two of the series, and how many values are above it."""
        ranked = [self.values[i] for i in self._ranked()]
        limits = [
            (self._printed_as(limit), above)
            for above, (upper, lower) in enumerate(pairwise(ranked), start=1)
            for limit in (float(int((upper + lower) / 2)), (upper + lower) / 2)
            if lower < _parsed(self._printed_as(limit)) < upper
        ]
        return self.rng.choice(limits)

    def above(self, template: str) -> Question:
        limit, count = self._limit()
        return Question(template.format(limit), "counting", str(count))

    def below(self, template: str) -> Question:
        limit, above = self._limit()
        return Question(template.format(limit), "counting", str(len(self.values) - above))

    def choice_most(self, text: str) -> Question:
        first, *others = (self.labels[i] for i in self._ranked())
        return letter_choice(self.rng, text, first, others)

    def choice_least(self, text: str) -> Question:
        *others, last = (self.labels[i] for i in self._ranked())
        return letter_choice(self.rng, text, last, others)


def _parsed(printed: str) -> float:
    return float(printed.strip("$%").replace(",", ""))


def numbers(
    rng: Random, labels: Sequence[str], values: Sequence[float], form: str = "{:,.0f}"
) -> Numbers:
    printed = tuple(form.format(value) for value in values)
    return Numbers(rng, tuple(labels), printed, tuple(values), form)


def spread(rng: Random, count: int, low: float, high: float, step: float = 1) -> list[float]:
    """Distinct values, at least a step apart so that they rank clearly."""
    places = rng.sample(range(int((high - low) / (2 * step))), count)
    return [round(low + step * (2 * place + rng.randrange(2)), 2) for place in places]


def shares(rng: Random, count: int) -> list[float]:
    """Distinct whole percentages that add up to 100."""
    while True:
        cuts = sorted(rng.sample(range(6, 95), count - 1))
        parts = [after - before for before, after in zip([0, *cuts], [*cuts, 100], strict=True)]
        if len(set(parts)) == count and min(parts) >= 6:
            return [float(part) for part in parts]

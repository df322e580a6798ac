"""A problem, and what reading a file of them gives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

Image = Path | bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """A question about images whose answer is known.

    `question` has no image tags and leaves its options to `options` (letter to text, in order);
    `answer` is one of these letters where there are any. `id` is unique within its source.
    """

    id: str
    question: str
    images: tuple[Image, ...]
    answer: str
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    category: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def __reduce__(self) -> tuple[type["Problem"], tuple[object, ...]]:
        """Read-only views cannot be pickled; processes that load data do that."""
        options = dict(self.options)
        return Problem, (self.id, self.question, self.images, self.answer, options, self.category)

    @property
    def prompt(self) -> str:
        """What is asked: the question, and its options unless it lists them itself."""
        listed = (_lists(self.question, letter, text) for letter, text in self.options.items())
        if all(listed):
            return self.question
        lines = (f"{letter}. {text}" for letter, text in self.options.items())
        return "\n".join([self.question, "Options:", *lines])


def _lists(question: str, letter: str, text: str) -> bool:
    """As `(A) 12 cm`, `A: 12 cm`, `A.12 cm`; not the point A (2, 3), nor 12 cm where 1 is meant."""
    listed = rf"(?<!\w){letter}[).:\]．、：）]{{1,2}}\s*{re.escape(text)}(?!\w|[.,]\d)"
    return re.search(listed, question) is not None


def image_bytes(image: Image) -> bytes:
    """The encoded image, read from its file where it is one. Raises OSError."""
    return image if isinstance(image, bytes) else image.read_bytes()


class InvalidProblem(ValueError):
    """Why a row is no problem to work with."""


class LeftOut(NamedTuple):
    """`row`: its id, or its number where it has none."""

    row: str
    reason: str


@dataclass
class Reading:
    problems: list[Problem] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

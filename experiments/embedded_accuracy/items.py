"""What is asked: questions, and drawings of which everything that is printed is known."""

from dataclasses import dataclass
from typing import Literal

from PIL import Image

QuestionClass = Literal[
    "lookup",
    "comparison",
    "arithmetic",
    "counting",
    "yes_no",
    "geometry",
    "choice",
    "unanswerable",
]
Kind = Literal["bar", "line", "pie", "table", "receipt", "figure", "text"]

# The expected answer of a question that the picture (or its caption) does not answer.
NOT_TOLD = "not told"


@dataclass(frozen=True)
class Question:
    """`expected`: a name, a number with or without its unit, "yes" or "no", an option letter, or
    NOT_TOLD.
    """

    text: str
    asks: QuestionClass
    expected: str


@dataclass(frozen=True)
class Pair:
    """A value as it is printed, and the labels it belongs to: one (a bar's, a receipt line's), or
    two where it takes both (row and column of a table, group and series of a grouped chart).
    """

    labels: tuple[str, ...]
    value: str


@dataclass(frozen=True)
class Drawing:
    """`pairs` is empty where the picture prints no values."""

    name: str
    kind: Kind
    image: Image.Image
    pairs: tuple[Pair, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class TextItem:
    """A question about a caption, or about the caption that the captioner gives of a drawing."""

    question: Question
    caption: str | None = None
    drawing: str | None = None

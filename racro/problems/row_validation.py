"""From a row as its file has it to a problem, or to the reason why it is none."""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from racro.problems import encoded_images
from racro.problems.problem import Image, InvalidProblem, Problem, image_bytes
from racro.problems.tags import without_tags


@dataclass(frozen=True, slots=True)
class Row:
    """What any of the formats says of a problem; nothing is checked yet."""

    id: str
    question: str
    images: tuple[Image, ...]
    answer: str
    options: Mapping[str, str] = field(default_factory=dict)
    category: str = ""


_LETTER = re.compile(r"[(\[]?([A-Za-z])[)\]]?[.:]?")

# The rows of a file in its order: a name each, and how to make what it holds of it (raises
# InvalidProblem). Raises ValueError where the file is no such table.
Rows = Iterator[tuple[str, Callable[[], Row]]]


def lettered(options: Iterable[str]) -> dict[str, str]:
    return dict(zip(string.ascii_uppercase, options, strict=False))


def validated(row: Row) -> Problem:
    """Raises InvalidProblem. What is dear to check comes last."""
    if not row.id:
        raise InvalidProblem("it has no id")
    if not row.images:
        raise InvalidProblem("it has no image")
    question, *texts = without_tags([row.question, *row.options.values()], images=len(row.images))
    options = dict(zip(row.options, texts, strict=True))
    if not question:
        raise InvalidProblem("the question is empty")
    _check_options(options)
    answer = _answer(row.answer.strip(), options)
    for number, image in enumerate(row.images, 1):
        _check_image(number, image)
    return Problem(row.id, question, row.images, answer, options, row.category.strip())


def _check_options(options: Mapping[str, str]) -> None:
    if odd := [letter for letter in options if letter not in set(string.ascii_uppercase)]:
        raise InvalidProblem(f"option {odd[0]!r} is no letter from A to Z")
    if empty := [letter for letter, text in options.items() if not text]:
        raise InvalidProblem(f"option {empty[0]} is empty")


def _answer(text: str, options: Mapping[str, str]) -> str:
    """The letter of the option that it names, as `B`, `b`, `(B)` or by the option's text."""
    if not text:
        raise InvalidProblem("the answer is empty")
    if not options or text in options:
        return text
    named = {letter for letter, option in options.items() if option == text}
    if (letter := _LETTER.fullmatch(text)) and letter[1].upper() in options:
        named.add(letter[1].upper())
    if len(named) != 1:
        raise InvalidProblem(
            f"the answer {text[:40]!r} is none of the options {', '.join(options)}"
        )
    return named.pop()


def _check_image(number: int, image: Image) -> None:
    if isinstance(image, Path) and not image.is_file():
        raise InvalidProblem(f"image {number}: no file {image}")
    try:
        encoded_images.check(image_bytes(image))
    except OSError as error:
        raise InvalidProblem(f"image {number}: it cannot be read: {error}") from error
    except InvalidProblem as error:
        raise InvalidProblem(f"image {number}: {error}") from error

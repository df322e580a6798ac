"""The example images with their questions."""

import json
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

_QUESTIONS = "questions.jsonl"


class BadExamplesError(Exception):
    """The questions cannot be read; the message names the file and the line."""


@dataclass(frozen=True)
class Example:
    image: str
    question: str
    expected: str

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, str):
                raise TypeError(f"{name} is no text")


def load_examples(folder: Path) -> list[Example]:
    """The lines of questions.jsonl. Raises BadExamplesError."""
    path = folder / _QUESTIONS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BadExamplesError(f"{path} cannot be read: {error}") from error
    return [_example(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def _example(line: str, where: str) -> Example:
    try:
        return Example(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise BadExamplesError(
            f"{where}: no JSON object with image, question and expected ({error})"
        ) from error

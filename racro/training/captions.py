"""What a captioner is shown; and captions to imitate: our JSONL of problems, with one more field in
each line, `caption`.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from racro.problems import LeftOut, Problem
from racro.problems.jsonl import Line, lines, row
from racro.problems.problem import InvalidProblem
from racro.problems.reading import each_fitting
from racro.problems.row_validation import validated


class Example(NamedTuple):
    """`caption` is the one to imitate; None where the captioner is to find its own."""

    problem: Problem
    caption: str | None


class _Line(Line):
    caption: str = ""


def read_captions(path: Path) -> tuple[list[Example], list[LeftOut]]:
    """Rows that don't fit are left out and named. Raises OSError, and ValueError for a file that
    holds no such lines.
    """
    made = ((name, partial(_example, line, path.parent)) for name, line in lines(path, _Line))
    return each_fitting(path, made)


def _example(line: _Line, folder: Path) -> Example:
    """Raises InvalidProblem."""
    caption = line.caption.strip()
    if not caption:
        raise InvalidProblem("the caption is empty")
    return Example(validated(row(line, folder)), caption)

"""Files of problems, by their suffix."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from racro.problems import jsonl, tsv, virl39k
from racro.problems.problem import InvalidProblem, LeftOut, Problem, Reading
from racro.problems.row_validation import Row, Rows, validated

T = TypeVar("T")

_FORMATS: dict[str, Callable[[Path], Rows]] = {
    ".tsv": tsv.rows,
    ".jsonl": jsonl.rows,
    ".parquet": virl39k.rows,
}


def read_problems(path: Path, *, limit: int | None = None) -> Reading:
    """VLMEvalKit's TSV, our JSONL or ViRL39K's parquet. Every image is opened once.

    Rows that don't fit are left out and named; none is looked at after `limit` problems. Raises
    OSError, and ValueError for a file that is no such table.
    """
    rows = _FORMATS.get(path.suffix.lower())
    if rows is None:
        raise ValueError(f"{path}: problems are read from {', '.join(_FORMATS)} files")
    problems, left_out = each_fitting(
        path, ((name, _problem(row)) for name, row in rows(path)), limit=limit
    )
    return Reading(problems, left_out)


def _problem(row: Callable[[], Row]) -> Callable[[], Problem]:
    return lambda: validated(row())


def each_fitting(
    path: Path, rows: Iterable[tuple[str, Callable[[], T]]], *, limit: int | None = None
) -> tuple[list[T], list[LeftOut]]:
    """What is made of rows that have a name each, and the rows that it raises InvalidProblem for.

    Raises ValueError where there are none.
    """
    found: list[T] = []
    left_out: list[LeftOut] = []
    names: set[str] = set()
    for name, made in rows:
        if len(found) == limit:
            break
        if name in names:
            left_out.append(LeftOut(name, "an earlier row has the same id"))
            continue
        names.add(name)
        try:
            found.append(made())
        except InvalidProblem as error:
            left_out.append(LeftOut(name, str(error)))
    if not names:
        raise ValueError(f"{path}: there are no rows in it")
    return found, left_out

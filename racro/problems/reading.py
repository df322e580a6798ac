"""Files of problems, by their suffix."""

from collections.abc import Callable
from pathlib import Path

from racro.problems import jsonl, tsv, virl39k
from racro.problems.problem import LeftOut, Reading, Unfit
from racro.problems.vetting import Rows, vetted

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
    reading = Reading()
    names: set[str] = set()
    for name, row in rows(path):
        if len(reading.problems) == limit:
            break
        if name in names:
            reading.left_out.append(LeftOut(name, "an earlier row has the same id"))
            continue
        names.add(name)
        try:
            reading.problems.append(vetted(row()))
        except Unfit as error:
            reading.left_out.append(LeftOut(name, str(error)))
    if not names:
        raise ValueError(f"{path}: there are no rows in it")
    return reading

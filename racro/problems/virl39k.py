r"""ViRL39K's parquet (TIGER-Lab/ViRL39K, 39Krelease.parquet): an `<image>` in the question for each
path in `image`, options within the question, the answer as `\boxed{…}`.
"""

from collections.abc import Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from racro.answers.boxes import boxes
from racro.answers.extract import final_answer
from racro.problems.problem import InvalidProblem
from racro.problems.row_validation import Row, Rows

_COLUMNS = ["qid", "question", "answer", "image", "category"]


def rows(path: Path) -> Rows:
    try:
        from pyarrow import parquet  # noqa: PLC0415  # only the training environment has it
    except ImportError as error:
        raise ValueError(f"{path}: parquet files need pyarrow, of racro[training]") from error
    with path.open("rb") as file:
        try:
            table = parquet.ParquetFile(file)
            _check_columns(table.schema_arrow.names)
            batches = table.iter_batches(columns=_COLUMNS)
            every = chain.from_iterable(batch.to_pylist() for batch in batches)
            for number, cells in enumerate(every, 1):
                yield _text(cells["qid"]) or f"row {number}", partial(_row, cells, path.parent)
        except (ValueError, OSError) as error:
            raise ValueError(f"{path}: no parquet of ViRL39K: {error}") from error


def _check_columns(columns: list[str]) -> None:
    if missing := [name for name in _COLUMNS if name not in columns]:
        raise ValueError(f"there is no column {missing[0]!r}")


def _row(cells: Mapping[str, Any], folder: Path) -> Row:
    paths = cells["image"] or ()
    if not all(isinstance(name, str) for name in paths):
        raise InvalidProblem("an image of it is no path")
    return Row(
        id=_text(cells["qid"]),
        question=_text(cells["question"]),
        images=tuple(folder / name for name in paths),
        answer=_unboxed(_text(cells["answer"])),
        category=_text(cells["category"]),
    )


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _unboxed(answer: str) -> str:
    """As the answer of a model is read."""
    if r"\boxed" not in answer:
        return answer
    contents = boxes(answer)
    if len(contents) != 1 or not contents[0].strip():
        raise InvalidProblem(r"the answer is not one closed \boxed{…}")
    return final_answer(answer)

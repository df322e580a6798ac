"""VLMEvalKit's TSV: an image as base64 in each row (or a list of them), or as the index of another
row that has it, or as a path (its docs/en/Development.md and dataset/image_base.py).
"""

import ast
import csv
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from racro.problems.encoded_images import from_base64
from racro.problems.problem import Image, InvalidProblem
from racro.problems.row_validation import Row, Rows, lettered

# Up to here an image is an index, as VLMEvalKit has it: the smallest image is longer in base64.
_LONGEST_INDEX = 64
_LARGEST_CELL = 2**31 - 1
_NEEDED = ("index", "question", "answer")
_CATEGORIES = ("category", "l2-category", "task")

Cells = Mapping[str | None, str]  # None: those that no column is there for
Shared = Callable[[str], tuple[Image, ...]]  # by the index of the row that has them


def rows(path: Path) -> Rows:
    shared = cache(partial(_shared, _shared_images(path)))  # many rows, one image in memory
    for number, cells in _table(path):
        name = cells["index"].strip()
        yield name or f"row {number}", partial(_row, cells, shared, path.parent)


def _shared_images(path: Path) -> dict[str, str]:
    """Images of the rows that others refer to, by index."""
    wanted = {image for _, cells in _table(path) if _is_index(image := cells.get("image", ""))}
    if not wanted:
        return {}
    return {cells["index"]: cells["image"] for _, cells in _table(path) if cells["index"] in wanted}


def _is_index(image: str) -> bool:
    return 0 < len(image) <= _LONGEST_INDEX


def _table(path: Path) -> Iterator[tuple[int, Cells]]:
    """Row numbers, from 1, and cells by column. Raises ValueError with the file's name."""
    csv.field_size_limit(_LARGEST_CELL)  # of the whole process: the module has no other
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, dialect="excel-tab", restval="", strict=True)
        try:
            _check_columns(table.fieldnames or ())
            yield from enumerate(table, 1)
        except (csv.Error, ValueError) as error:
            message = f"{path}: line {table.line_num}: no TSV of VLMEvalKit: {error}"
            raise ValueError(message) from error


def _check_columns(columns: Sequence[str]) -> None:
    if missing := [name for name in _NEEDED if name not in columns]:
        raise ValueError(f"there is no column {missing[0]!r}")
    if not {"image", "image_path"} & set(columns):
        raise ValueError("there is no column 'image' or 'image_path'")


def _row(cells: Cells, shared: Shared, folder: Path) -> Row:
    if None in cells:
        raise InvalidProblem("it has more cells than there are columns")
    options = _options(cells)
    question, hint = cells["question"], cells.get("hint", "").strip()
    # MathVista's answer is an option's text, its answer_option the letter.
    letter = cells.get("answer_option", "").strip() if options else ""
    return Row(
        id=cells["index"].strip(),
        question=f"Hint: {hint}\n{question}" if hint else question,
        images=_images(cells, shared, folder),
        answer=letter or cells["answer"],
        options=options,
        category=next((cells[name] for name in _CATEGORIES if cells.get(name)), ""),
    )


def _options(cells: Cells) -> dict[str, str]:
    """Of the columns A, B, …; or of `choices`, a list, as MathVista and MathVision have it."""
    columns = {letter: cells.get(letter, "").strip() for letter in string.ascii_uppercase}
    options = {letter: text for letter, text in columns.items() if text}
    return options or lettered(_listed(cells.get("choices", "")) or ())


def _images(cells: Cells, shared: Shared, folder: Path) -> tuple[Image, ...]:
    image = cells.get("image", "").strip()
    if not image:
        path = cells.get("image_path", "").strip()
        return tuple(folder / name for name in _one_or_listed(path)) if path else ()
    return shared(image) if _is_index(image) else _decoded(image)


def _shared(encoded: Mapping[str, str], index: str) -> tuple[Image, ...]:
    image = encoded.get(index, "")
    if not image or _is_index(image):
        raise InvalidProblem(f"its image is that of row {index!r}, which has none")
    return _decoded(image)


def _decoded(cell: str) -> tuple[Image, ...]:
    return tuple(map(from_base64, _one_or_listed(cell)))


def _one_or_listed(cell: str) -> list[str]:
    listed = _listed(cell)
    return [cell] if listed is None else listed


def _listed(cell: str) -> list[str] | None:
    """A list of texts in Python's notation or JSON's; None where the cell is no list."""
    if not (cell.startswith("[") and cell.endswith("]")):
        return None
    try:
        return [str(item) for item in ast.literal_eval(cell)]
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise InvalidProblem("a list in it cannot be read") from error

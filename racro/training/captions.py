"""Captions to imitate: our JSONL of problems, with one more field in each line, `caption`."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from racro.problems import LeftOut, Problem
from racro.problems.images import from_base64
from racro.problems.problem import Image, Unfit
from racro.problems.vetting import Row, lettered, vetted

_LONGEST_PATH = 1024  # anything longer is base64


class Captioned(NamedTuple):
    problem: Problem
    caption: str


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    id: str | int = ""
    question: str = ""
    images: list[str] = []
    answer: str | int | float = ""
    options: dict[str, str] | list[str] = {}
    category: str = ""
    caption: str = ""


def read_captions(path: Path) -> tuple[list[Captioned], list[LeftOut]]:
    """Rows that don't fit are left out and named. Raises OSError, and ValueError for a file that
    holds no such lines.
    """
    rows: list[Captioned] = []
    left_out: list[LeftOut] = []
    names: set[str] = set()
    for name, line in _lines(path):
        if name in names:
            left_out.append(LeftOut(name, "an earlier row has the same id"))
            continue
        names.add(name)
        try:
            rows.append(_captioned(line, path.parent))
        except Unfit as error:
            left_out.append(LeftOut(name, str(error)))
    if not names:
        raise ValueError(f"{path}: there are no rows in it")
    return rows, left_out


def _lines(path: Path) -> Iterator[tuple[str, _Line]]:
    decoder = msgspec.json.Decoder(_Line)
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if text.strip():
                try:
                    line = decoder.decode(text)
                except msgspec.MsgspecError as error:
                    raise ValueError(f"{path}: line {number}: {error}") from error
                yield str(line.id) or f"line {number}", line


def _captioned(line: _Line, folder: Path) -> Captioned:
    """Raises Unfit."""
    caption = line.caption.strip()
    if not caption:
        raise Unfit("the caption is empty")
    options = line.options
    row = Row(
        id=str(line.id),
        question=line.question,
        images=tuple(_image(text, folder) for text in line.images),
        answer=str(line.answer),
        options=options if isinstance(options, dict) else lettered(options),
        category=line.category,
    )
    return Captioned(vetted(row), caption)


def _image(text: str, folder: Path) -> Image:
    if len(text) <= _LONGEST_PATH and (path := folder / text).is_file():
        return path
    try:
        return from_base64(text)
    except Unfit as error:
        raise Unfit(f"image {text[:80]!r} is neither a file nor base64") from error

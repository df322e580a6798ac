"""Our own format: a problem a line, its images as paths beside the file, data URLs or base64."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from racro.base.atomic import write_bytes
from racro.problems.encoded_images import from_base64
from racro.problems.problem import Image, InvalidProblem, Problem, image_bytes
from racro.problems.row_validation import Row, Rows, lettered

_NAME = "problems.jsonl"
# By the bytes that a file begins with.
_SUFFIXES = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"RIFF": ".webp",
    b"BM": ".bmp",
    b"II": ".tiff",
    b"MM": ".tiff",
    b"\0\0\x01\0": ".ico",
    b"\0\0\0\x0cjP": ".jp2",
    b"\xff\x4f\xff\x51": ".j2k",
}
_AVIF = b"ftypavif"


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """Fields that a row cannot do without are missed where rows are validated, and named there."""

    id: str | int = ""
    question: str | None = None
    images: list[str] = []
    answer: str | int | float | bool | None = None
    options: dict[str, str] | list[str] = {}
    category: str = ""


L = TypeVar("L", bound=Line)


def rows(path: Path) -> Rows:
    for name, line in lines(path, Line):
        yield name, partial(row, line, path.parent)


def lines(path: Path, kind: type[L]) -> Iterator[tuple[str, L]]:
    """Each with its id, or its number where it has none. Raises OSError, and ValueError for a line
    of another form.
    """
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                line = decoder.decode(text)
            except msgspec.MsgspecError as error:
                raise ValueError(f"{path}: line {number}: {error}") from error
            yield str(line.id) or f"line {number}", line


def row(line: Line, folder: Path) -> Row:
    """`folder` is where its images' paths begin. Raises InvalidProblem."""
    options = line.options
    return Row(
        id=str(line.id),
        question=line.question or "",
        images=tuple(_image(number, text, folder) for number, text in enumerate(line.images, 1)),
        answer="" if line.answer is None else str(line.answer),
        options=options if isinstance(options, dict) else lettered(options),
        category=line.category,
    )


def _image(number: int, text: str, folder: Path) -> Image:
    path = folder / text
    if _is_file(path):
        return path
    try:
        return from_base64(text)
    except InvalidProblem as error:
        raise InvalidProblem(
            f"image {number}: {text[:80]!r} is neither a file nor base64"
        ) from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # No name of a file: too long for one, as base64 is, or with a zero byte in it.
        return False


def write_jsonl(problems: Iterable[Problem], folder: Path) -> Path:
    """Write `problems.jsonl` into `folder`, the images beside it in `images/`, each content once.

    The file comes last, and whole. Raises OSError, and ValueError for an id that comes twice.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    lines: dict[str, bytes] = {}
    for problem in problems:
        if problem.id in lines:
            raise ValueError(f"two problems have the id {problem.id!r}")
        lines[problem.id] = msgspec.json.encode(_line(problem, folder)) + b"\n"
    write_bytes(folder / _NAME, b"".join(lines.values()))
    return folder / _NAME


def _line(problem: Problem, folder: Path) -> Line:
    return Line(
        id=problem.id,
        question=problem.question,
        images=[_stored(image, folder) for image in problem.images],
        answer=problem.answer,
        options=dict(problem.options),
        category=problem.category,
    )


def _stored(image: Image, folder: Path) -> str:
    """Its path, named by content: a file that is there need not be written again."""
    data = image_bytes(image)
    suffix = next((end for start, end in _SUFFIXES.items() if data.startswith(start)), "")
    if data.startswith(_AVIF, 4):
        suffix = ".avif"
    name = f"images/{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
    if not (folder / name).exists():
        write_bytes(folder / name, data)
    return name

"""Files: their digest, and writing all of something or nothing."""

import errno
import hashlib
import os
from pathlib import Path

import msgspec

from racro.evaluation.errors import EvaluationError


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: object) -> None:
    """Whole or not at all."""
    text = msgspec.json.format(msgspec.json.encode(content), indent=2)
    write_text(path, text.decode() + "\n")


def write_text(path: Path, text: str) -> None:
    """Whole or not at all. Raises EvaluationError."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {error.strerror}") from error


def append_line(file: int, line: bytes) -> None:
    """All of it or nothing: another worker's line may follow. Raises OSError."""
    size = os.fstat(file).st_size
    if os.write(file, line) < len(line):
        os.ftruncate(file, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

"""Files that are written whole or not at all."""

import errno
import os
from pathlib import Path

import msgspec

from racro.base import atomic
from racro.evaluation.failures import EvaluationError


def write_json(path: Path, content: object) -> None:
    """Whole or not at all."""
    text = msgspec.json.format(msgspec.json.encode(content), indent=2)
    write_text(path, text.decode() + "\n")


def write_text(path: Path, text: str) -> None:
    """Whole or not at all. Raises EvaluationError."""
    try:
        atomic.write_text(path, text)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written: {error.strerror}") from error


def append_line(file: int, line: bytes) -> None:
    """All of it or nothing: another worker's line may follow. Raises OSError."""
    size = os.fstat(file).st_size
    if os.write(file, line) < len(line):
        os.ftruncate(file, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

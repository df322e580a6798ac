"""Rollouts as lines of JSON, for whoever wants to read what a reward was given for."""

from pathlib import Path
from typing import BinaryIO, Self

import msgspec


class RolloutLine(msgspec.Struct):
    """`seconds` is the reasoner's time for the try that succeeded."""

    id: str
    caption: str
    text: str
    answer: str
    right: bool
    finish_reason: str | None
    seconds: float


class RolloutLog:
    """Whole lines, appended and flushed one by one: several processes may share a file. Without a
    path nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        """Raises OSError."""
        if self._path is not None:
            self._file = self._path.open("ab")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, line: RolloutLine) -> None:
        """Raises OSError, on a full disk for one."""
        if self._file is not None:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()

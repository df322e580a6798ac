"""Rollouts as lines of JSON, for whoever wants to read what a reward was given for."""

from pathlib import Path
from types import TracebackType
from typing import Self

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
    """Whole lines, appended and flushed one by one: several processes may share a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, line: RolloutLine) -> None:
        """Raises OSError, on a full disk for one."""
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()

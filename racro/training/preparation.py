"""All that can be said of a training before torch is imported."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import msgspec

from racro.problems import LeftOut
from racro.training.base import Base, find_base
from racro.training.data import Reader, TrainingData, read_data
from racro.training.run_folder import Run, record_of
from racro.training.settings import S

LEFT_OUT = "left_out.jsonl"
_NAMED = 10
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preparation(Generic[S]):
    settings: S
    data: TrainingData
    record: dict[str, Any]
    run: Run


def prepare(method: str, settings: S, reader: Reader) -> Preparation[S]:
    """In every process. The first one makes the output folder, and it alone looks at the base, all
    of which is read for that: what the others have as a record is written nowhere.

    Raises WrongBase, WrongData or AnotherRun.
    """
    base = find_base(settings.model) if is_first_process() else Base(settings.model.path, digest="")
    data = read_data(settings.data, reader)
    record = record_of(method, settings, base, data, processes=_processes())
    run = Run(settings.output)
    if is_first_process():
        run.check(record)
        run.begin(record)
    return Preparation(settings, data, record, run)


def is_first_process() -> bool:
    """As torchrun and accelerate say it to the processes that they start."""
    return os.environ.get("RANK", "0") == "0"


def _processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def tell_left_out(rows: Iterable[LeftOut], folder: Path) -> None:
    """The first few by name, all of them in a file."""
    rows = list(rows)
    if not rows:
        return
    lines = b"".join(msgspec.json.encode(row._asdict()) + b"\n" for row in rows)
    (folder / LEFT_OUT).write_bytes(lines)
    named = "".join(f"\n  {row}: {reason}" for row, reason in rows[:_NAMED])
    more = f"\n  and more, in {folder / LEFT_OUT}" if len(rows) > _NAMED else ""
    _logger.warning("%d rows do not fit and are left out:%s%s", len(rows), named, more)

"""The folder of one training: what it was begun with, and its checkpoints.

training.json            what it was begun with
metrics.jsonl            a line of JSON each time something is measured
checkpoint-<step>/       to go on from, whole where it has a file `whole`
best/                    weights of the step with the best held-out value
final/                   weights of the last step; all is done
reward.png, README.md    when all is done (loss.png after fine-tuning)
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from racro.base.atomic import write_text
from racro.training.base import RECORD, Base
from racro.training.data import TrainingData
from racro.training.settings import TrainingSettings
from racro.training.training_error import AnotherRun

_HOW_THE_REASONER_IS_ASKED = {
    "urls",
    "api_key_env",
    "concurrency",
    "attempts",
    "deadline_s",
    "patience_s",
    "graders",
    "log",
}
# What may be another when a training goes on: it changes nothing of what is learnt.
_MAY_CHANGE: dict[str, Any] = {
    "output": True,
    "logging": True,
    "checkpoints": True,
    "vllm": True,
    "reward": _HOW_THE_REASONER_IS_ASKED,
}
_PACKAGES = ("racro", "torch", "transformers", "trl", "peft", "accelerate", "datasets")
FINAL = "final"
_WHOLE = "whole"
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def record_of(
    method: str, settings: TrainingSettings, base: Base, data: TrainingData, *, processes: int
) -> dict[str, Any]:
    """All that decides what is learnt: two trainings with the same of it learn the same."""
    return {
        "method": method,
        "processes": processes,
        "base": {"path": base.path, "digest": base.digest},
        "data": dict(data.digests),
        "rows": {"train": len(data.train), "heldout": len(data.heldout)},
        "settings": settings.model_dump(mode="json", exclude=_MAY_CHANGE),
        "versions": {name: version(name) for name in _PACKAGES},
    }


@dataclass(frozen=True, slots=True)
class Run:
    folder: Path

    def check(self, record: Mapping[str, Any]) -> None:
        """Raises AnotherRun, naming what differs. Other versions of libraries are no other run."""
        path = self.folder / RECORD
        if not path.exists():
            if self.folder.exists() and any(self.folder.iterdir()):
                raise AnotherRun(f"output: {self.folder} is not empty and holds no training")
            return
        before, now = (dict(_flat(one)) for one in (json.loads(path.read_bytes()), record))
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name) and not name.startswith("versions."):
                raise AnotherRun(
                    f"output: the training in {self.folder} was begun with {name} = "
                    f"{before.get(name)!r}, not {now.get(name)!r}; give this one another folder"
                )

    def begin(self, record: Mapping[str, Any]) -> None:
        """Makes the folder. Checkpoints that are not whole were broken off: they are removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / RECORD).exists():
            write_record(self.folder, record)
        for folder, whole in self._checkpoints():
            if not whole:
                shutil.rmtree(folder)

    @property
    def is_finished(self) -> bool:
        return (self.folder / FINAL / RECORD).exists()

    def to_go_on_from(self) -> Path | None:
        """The last whole checkpoint before the end: from the end a trainer would go beyond it.

        Older ones are not looked into: a trainer that was killed while it deleted the oldest leaves
        the rest of it.
        """
        folders = sorted((f for f, whole in self._checkpoints() if whole), key=step_of)
        return next((folder for folder in reversed(folders) if not _at_end(folder)), None)

    def _checkpoints(self) -> Iterator[tuple[Path, bool]]:
        for folder in list(self.folder.glob("checkpoint-*")):
            if _CHECKPOINT.fullmatch(folder.name):
                yield folder, (folder / _WHOLE).exists()


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    write_text(folder / RECORD, json.dumps(record, indent=2) + "\n")


def mark_complete(checkpoint: Path) -> None:
    (checkpoint / _WHOLE).touch()


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("checkpoint-"))


def _at_end(checkpoint: Path) -> bool:
    state = json.loads((checkpoint / "trainer_state.json").read_bytes())
    return bool(state["global_step"] >= state["max_steps"])


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value

"""A tiny model, drawn problems, a scripted reasoner, and the command as users type it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from PIL import Image, ImageDraw

from support.processes import wait_until

TIMEOUT_S = 600
CAPTIONED = "captions.jsonl"
PROBLEMS = "problems.jsonl"


@dataclass
class Training:
    """`racro train <method>` in a process of its own, or in several as torchrun starts them:
    accelerate's launcher on a CPU starts one, whatever it is told.
    """

    process: subprocess.Popen[bytes]
    log_path: Path

    @classmethod
    def start(cls, method: str, config: Path, *, processes: int = 1) -> Self:
        command = ["racro.cli", "train", method, "--config", str(config)]
        launch = ["torch.distributed.run", "--standalone", f"--nproc_per_node={processes}", "-m"]
        modules = ["-m", *(launch if processes > 1 else []), *command]
        log_path = config.with_suffix(".log")
        # Without the flag accelerate takes each of torchrun's processes for the only one on a CPU.
        env = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *modules], stdout=log, stderr=subprocess.STDOUT, env=env
            )
        return cls(process, log_path)

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def ends(self, code: int = 0) -> str:
        """Its whole log, once it has ended with this code."""
        assert self.process.wait(TIMEOUT_S) == code, self.log
        return self.log

    def waits_for(self, condition, what: str) -> None:
        def happened() -> bool:
            assert self.process.poll() is None, self.log
            return condition()

        wait_until(happened, timeout_s=TIMEOUT_S, what=what)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`base` and `other`: of one architecture, with other weights."""
    folder = tmp_path_factory.mktemp("models")
    script = Path(__file__).with_name("models.py")
    subprocess.run(
        [sys.executable, script, folder], check=True, capture_output=True, timeout=TIMEOUT_S
    )
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """problems.jsonl and captions.jsonl: the same bars, without captions and with them."""
    folder = tmp_path_factory.mktemp("data")
    rows = [draw_bar(folder, number) for number in range(16)]
    for row in rows[::5]:
        row["images"] = ["0.png", *row["images"]]
    write_lines(folder / CAPTIONED, rows)
    for row in rows:
        del row["caption"]
    write_lines(folder / PROBLEMS, rows)
    return folder


def draw_bar(folder: Path, number: int) -> dict[str, Any]:
    image = Image.new("RGB", (56, 56), "white")
    ImageDraw.Draw(image).rectangle((10, 53 - 3 * number, 30, 55), fill="blue")
    image.save(folder / f"{number}.png")
    return {
        "id": f"bar{number}",
        "question": f"How tall is bar {number}?",
        "images": [f"{number}.png"],
        "answer": "42",
        "caption": f"A chart of a bar: {number}.",
    }


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_config(path: Path, settings: dict[str, Any]) -> Path:
    """TOML of dotted keys; JSON writes values as TOML does."""
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    path.write_text("".join(lines))
    return path


@pytest.fixture
def sft(tmp_path: Path, models: Path, data: Path) -> dict[str, Any]:
    return {
        "output": str(tmp_path / "sft"),
        "model.path": str(models / "base"),
        "data.train": [str(data / CAPTIONED)],
        "duration.steps": 2,
        "batch.per_device": 2,
        "optimiser.learning_rate": 1e-3,
        "checkpoints.every": 1,
        "logging.to": "none",
        "trl.bf16": False,
        "trl.activation_checkpointing": False,
    }


@pytest.fixture
def cro(tmp_path: Path, sft: dict[str, Any], data: Path, reasoner: Any) -> dict[str, Any]:
    return {
        **sft,
        "output": str(tmp_path / "cro"),
        "data.train": [str(data / PROBLEMS)],
        "batch.per_device": 4,
        "batch.generations": 2,
        "length.completion": 8,
        "optimiser.learning_rate": 1e-4,
        "reward.urls": [f"{reasoner.url}/v1"],
        "reward.model": "scripted",
        "reward.graders": 1,
    }


@pytest.fixture
def running() -> Iterator[list[Training]]:
    """Trainings to be ended whatever happens."""
    trainings: list[Training] = []
    yield trainings
    for training in trainings:
        if training.process.poll() is None:
            training.kill()

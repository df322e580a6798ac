"""Trainings from one SFT checkpoint: by CRO, and the fine-tuning continued."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Literal, get_args

import httpx2

from racro.base.ports import free_port
from racro.base.processes import module_command, service_environment

Method = Literal["cro", "sft"]
METHODS: tuple[Method, ...] = get_args(Method)
STEPS: Mapping[Method, int] = {"cro": 80, "sft": 170}

_HERE = Path(__file__).parent
_START_TIMEOUT_S = 60
# Two runs at a time on two cores.
_ONE_CORE = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Inputs:
    """Folders of problems and of the SFT checkpoint."""

    train: Path
    development: Path
    sft: Path


@dataclass(frozen=True)
class Run:
    method: Method
    seed: int
    output: Path

    @property
    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of the trainer and, in CRO, of its reasoner. Written last."""
        seconds: dict[str, float] = json.loads(self._record.read_text(encoding="utf-8"))
        return seconds

    @property
    def history(self) -> list[dict[str, Any]]:
        """What the trainer logged, step by step."""
        lines = (self.output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def _record(self) -> Path:
        return self.output / "cpu.json"

    def train(self, inputs: Inputs, *, steps: int) -> None:
        """`racro train METHOD`, unless it has been done."""
        if self._record.exists():
            return
        self.output.parent.mkdir(parents=True, exist_ok=True)
        seconds: dict[str, float] = {}
        with _reader(self.output, seconds) if self.method == "cro" else nullcontext("") as url:
            self._train(self._configuration(inputs, url, steps), seconds)
        self._record.write_text(json.dumps(seconds) + "\n", encoding="utf-8")

    def _configuration(self, inputs: Inputs, reader: str, steps: int) -> Path:
        template = Template((_HERE / f"{self.method}.toml").read_text(encoding="utf-8"))
        filled = template.substitute(
            output=self.output,
            seed=self.seed,
            steps=steps,
            sft=inputs.sft,
            train=inputs.train,
            development=inputs.development,
            reader=reader,
        )
        path = self.output.with_suffix(".toml")
        path.write_text(filled, encoding="utf-8")
        return path

    def _train(self, configuration: Path, seconds: dict[str, float]) -> None:
        command = [sys.executable, "-m", "racro.cli", "train", self.method]
        command += ["--config", str(configuration)]
        with self.output.with_suffix(".log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **_ONE_CORE}
            )
            seconds["trainer"] = _cpu_s(process)
        if process.returncode:
            sys.exit(f"{' '.join(command)} ended with code {process.returncode}: see {log.name}")


@contextmanager
def _reader(folder: Path, seconds: dict[str, float]) -> Iterator[str]:
    """On a free port; yields its URL. Its CPU time is noted when it ends."""
    port = free_port()
    settings = folder.with_suffix(".reader.yaml")
    settings.write_text(f"port: {port}\n")
    process = subprocess.Popen(
        module_command("experiments.cro_proof.reader_server"),
        env=service_environment({"RACRO_CONFIG": str(settings)}),
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(f"{url}/readyz")
        yield url
    finally:
        process.terminate()
        seconds["reasoner"] = _cpu_s(process)


def _wait_until_ready(url: str) -> None:
    began = time.monotonic()
    while time.monotonic() - began < _START_TIMEOUT_S:
        try:
            if httpx2.get(url, trust_env=False).is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)
    sys.exit(f"{url} was not ready within {_START_TIMEOUT_S} s")


def _cpu_s(process: subprocess.Popen[bytes]) -> float:
    """Of the process, when it has ended, and of all that it waited for."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return round(usage.ru_utime + usage.ru_stime, 1)

"""Trainings from one SFT checkpoint: by CRO, and the fine-tuning continued."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Literal, get_args

import httpx2
import yaml

from proof.ports import free_port

Method = Literal["cro", "sft"]
METHODS: tuple[Method, ...] = get_args(Method)

_HERE = Path(__file__).parent
_START_TIMEOUT_S = 60
# Two runs at a time on two cores.
_THREADS = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Inputs:
    """Folders of problems and of the SFT checkpoint, and the reasoner's GGUF file."""

    train: Path
    development: Path
    sft: Path
    reasoner: Path


def train(method: Method, seed: int, inputs: Inputs, output: Path) -> None:
    """`racro train METHOD`, with a reasoner of its own where it needs one; what both took stands in
    `cpu.json`. Does nothing where that is there.
    """
    if (output / "cpu.json").exists():
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, float] = {}
    if method == "cro":
        with reasoner(inputs.reasoner, output.with_suffix(".reasoner.log"), seconds) as url:
            _run(method, seed, inputs, output, url, seconds)
    else:
        _run(method, seed, inputs, output, "", seconds)
    (output / "cpu.json").write_text(json.dumps(seconds) + "\n")


def in_a_process(module: str, output: Path) -> None:
    """`python -m MODULE OUTPUT`, on one core."""
    command = [sys.executable, "-m", module, str(output)]
    subprocess.run(command, check=True, env={**os.environ, **_THREADS})


def _run(
    method: Method, seed: int, inputs: Inputs, output: Path, url: str, seconds: dict[str, float]
) -> None:
    filled = Template((_HERE / f"{method}.toml").read_text(encoding="utf-8")).substitute(
        output=output, seed=seed, reasoner=url,
        train=inputs.train, development=inputs.development, sft=inputs.sft,
    )  # fmt: skip
    config = output.with_suffix(".toml")
    config.write_text(filled, encoding="utf-8")
    command = [sys.executable, "-m", "racro.cli", "train", method, "--config", str(config)]
    with output.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **_THREADS}
        )
        if code := _wait(process, "trainer", seconds):
            sys.exit(f"{' '.join(command)} ended with code {code}: see {log.name}")


@contextmanager
def reasoner(model: Path, log: Path, seconds: dict[str, float]) -> Iterator[str]:
    """Our reasoner service on a free port; yields its URL. CPU time is noted when it has ended."""
    port = free_port()
    engine = {"kind": "llama", "model_path": str(model), "parallel": 8, "context_tokens": 8192}
    config = log.with_suffix(".yaml")
    config.write_text(yaml.safe_dump({"port": port, "model": "drawn", "engine": engine}))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.reasoner"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "RACRO_CONFIG": str(config)},
        )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            _wait(process, "reasoner", seconds)


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


def _wait(process: subprocess.Popen[bytes], name: str, seconds: dict[str, float]) -> int:
    """CPU seconds of the process and of all that it waited for."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds[name] = round(usage.ru_utime + usage.ru_stime, 1)
    return process.returncode


def history(run: Path) -> list[dict[str, Any]]:
    """What the trainer logged, step by step."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]

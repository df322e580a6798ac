"""The recipe runs: a slice of the training, its export, and the engine that serves it.

Slow, and in an environment of its own: make test-embedded
"""

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support import http
from support.processes import Service, wait_until

SCENES = 8


def train(folder: Path) -> dict[str, float]:
    """The loss before the first step and after the last."""
    command = [sys.executable, "-m", "experiments.recipes.reasoner"]
    options = ["--scenes", str(SCENES), "--output", str(folder)]
    subprocess.run([*command, *options], check=True, timeout=3600)
    curve = json.loads((folder / "training.json").read_text())["loss"]
    return {point["step"]: point["loss"] for point in curve}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    folder = tmp_path_factory.mktemp("trained")
    return folder / "compact-v1.gguf", train(folder)


@pytest.mark.timeout(3600)
def test_a_few_scenes_already_teach_something(trained: tuple[Path, dict[str, float]]) -> None:
    _, losses = trained
    first, last = losses[0], losses[SCENES // 2]
    assert math.isfinite(first)
    assert last < first


@pytest.mark.timeout(3600)
def test_the_same_seed_gives_the_same_adapter(
    trained: tuple[Path, dict[str, float]], tmp_path: Path
) -> None:
    """On one machine: other processors may add in another order."""
    train(tmp_path)
    first, second = (
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (trained[0], tmp_path / "compact-v1.gguf")
    )
    assert first == second


def test_the_engine_serves_it(trained: tuple[Path, dict[str, float]]) -> None:
    adapter, _ = trained
    assert adapter.stat().st_size <= 12 * 10**6
    engine = {"kind": "llama", "adapter_path": str(adapter)}
    with Service("services.reasoner", {"engine": engine}) as service:
        body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
        answer = http.post(f"{service.url}/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text
        [card] = http.get(f"{service.url}/v1/models").json()["data"]
    digest = hashlib.sha256(adapter.read_bytes()).hexdigest()[:16]
    assert card["revision"].endswith(f"+{digest}")


@pytest.mark.timeout(3600)
def test_what_was_broken_off_goes_on_and_ends_with_the_same_bytes(
    trained: tuple[Path, dict[str, float]], tmp_path: Path
) -> None:
    adapter, _ = trained
    command = [sys.executable, "-m", "experiments.recipes.reasoner"]
    options = ["--scenes", str(SCENES), "--saved-every", "1", "--output", str(tmp_path)]
    training = subprocess.Popen([*command, *options], start_new_session=True)
    wait_until((tmp_path / "checkpoint.pt").exists, timeout_s=1800, what="something is saved")
    # With its workers, which a signal to the first process alone would leave behind.
    os.killpg(training.pid, signal.SIGKILL)
    training.wait()
    assert not (tmp_path / "compact-v1.gguf").exists()
    subprocess.run([*command, *options], check=True, timeout=3600)
    assert (tmp_path / "compact-v1.gguf").read_bytes() == adapter.read_bytes()
    assert not (tmp_path / "checkpoint.pt").exists()

"""The README's `racro eval`, as printed, on a gateway over scripted captioner and reasoner."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.markdown import run_by
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("RACRO_")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the benchmark is, and `.venv/bin/racro`."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    picture = data_url(png("README")).partition(",")[2]
    row = f"1\tHow high is the bar?\t42\t{picture}\n"
    (tmp_path / "MathVista_MINI.tsv").write_text(f"index\tquestion\tanswer\timage\n{row}")
    return tmp_path


def printed(folder: Path, line: str) -> str:
    ended = subprocess.run(
        ["bash", "-c", line],
        cwd=folder, env=CLEAN, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, f"{line}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout


def test_it_runs_a_benchmark_and_compares_two_runs(gateway: Service, folder: Path) -> None:
    [block] = run_by(__file__)
    _, run, compare, _ = block.lines
    # The one thing that is not printed: this gateway is not on port 8000.
    here = f"eval run --gateway {gateway.url} "
    for output in ("runs/a", "runs/b"):
        line = run.replace("eval run ", here).replace("runs/a", output)
        assert "100.0" in printed(folder, line)
        report = json.loads((folder / output / "report.json").read_text())
        assert report["accuracy"]["overall"]["joint"]["value"] == 1
    assert "runs/b" in printed(folder, compare)

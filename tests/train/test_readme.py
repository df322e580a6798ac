"""The README's `racro train`, as printed but for the model: a file of settings for a tiny one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.markdown import ROOT, run_by
from train.conftest import TIMEOUT_S, write_config

SETTINGS = "deploy/training/racro-7b-cro.toml"


def test_it_trains_by_cro(cro: dict[str, Any], tmp_path: Path) -> None:
    [block] = run_by(__file__)
    line = block.lines[-1]
    # What is in this file test_configurations.py judges.
    assert SETTINGS in line
    assert (ROOT / SETTINGS).is_file()
    (tmp_path / ".training-venv").symlink_to(sys.prefix)
    (tmp_path / SETTINGS).parent.mkdir(parents=True)
    write_config(tmp_path / SETTINGS, cro)
    env = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    ended = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (Path(cro["output"]) / "final").is_dir()

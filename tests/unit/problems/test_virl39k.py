"""ViRL39K without what reads it; with it, tests/train."""

import importlib.util
from pathlib import Path

import pytest

from racro.problems import read_problems


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_without_pyarrow_it_says_what_to_install(tmp_path: Path) -> None:
    file = tmp_path / "39Krelease.parquet"
    file.write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"pyarrow, of racro\[training\]"):
        read_problems(file)

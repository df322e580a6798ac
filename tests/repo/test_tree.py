"""The tree itself: small files, no traces of the machine it was written on, honest tests."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import PATIENCE_S

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MOST_BYTES = 2 * 2**20
# The files of weights, no larger than their issues allow.
WEIGHTS = {
    "racro/embedded/reasoner/compact-v1.gguf": 12 * 10**6,
    "racro/embedded/captioner/captioner.gguf": 4 * 10**6,
    "racro/embedded/captioner/projector.gguf": 4 * 10**6,
    "racro/embedded/captioner/checkpoint/model.safetensors": 8 * 10**6,
}
MACHINE_PATHS = re.compile(rb"(?<![\w.])/(?:work|farm)/[\w.]")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE_S
    ).stdout
    paths = (ROOT / name.decode() for name in listed.split(b"\0") if name)
    return [path for path in paths if path.is_file()]


def test_no_tracked_file_is_large() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked()}
    assert sizes
    large = {name for name, size in sizes.items() if size > WEIGHTS.get(name, MOST_BYTES)}
    assert large == set()


def test_no_tracked_text_tells_where_it_was_written() -> None:
    telling = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if b"\0" not in (data := path.read_bytes()) and MACHINE_PATHS.search(data)
    ]
    assert telling == []


def _fakes(tree: ast.Module) -> Iterator[str]:
    """Mocks, and patches of objects; environment variables and the working directory may be set."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if "mock" in name.name)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(name.name for name in node.names)]
            yield from (name for name in names if "mock" in name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            patches = {"setattr", "delattr", "setitem", "delitem"}
            if node.value.id in {"monkeypatch", "mp"} and node.attr in patches:
                yield f"monkeypatch.{node.attr}"
        elif isinstance(node, ast.arg) and node.arg in {"mocker", "mock"}:
            yield node.arg


@pytest.mark.parametrize(
    "source",
    [
        "from unittest import mock",
        "import unittest.mock",
        "from unittest.mock import patch",
        "def test(mocker): ...",
        "monkeypatch.setattr('gateway.solve.Solver', None)",
    ],
)
def test_a_fake_is_recognised(source) -> None:
    assert list(_fakes(ast.parse(source)))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_fakes_our_own_code(path) -> None:
    assert list(_fakes(ast.parse(path.read_text()))) == []


def test_the_import_rules_are_kept() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr

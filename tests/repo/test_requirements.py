"""Requirement files install the same packages everywhere, from whichever index is configured."""

import json
import re
from collections import defaultdict
from itertools import groupby
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "requirements"
# Not installed from: it tells the resolver what to leave out.
OVERRIDES = "overrides.txt"
FILES = sorted(path for path in FOLDER.glob("*.txt") if path.name != OVERRIDES)
PINNED = re.compile(
    r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==[^\s;*]+(\s*;[^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+"
)


def requirements(path: Path) -> list[str]:
    """One a line, continued lines joined, comments left out."""
    joined = path.read_text().replace("\\\n", " ")
    lines = (line.strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_there_is_a_file_for_every_deployable() -> None:
    assert {"gateway", "captioner", "embedded", "dev"} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_requirement_is_pinned_and_hashed_and_there_is_nothing_else(path) -> None:
    found = requirements(path)
    assert found
    assert [line[:80] for line in found if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*")), ids=lambda path: path.name)
def test_no_file_says_where_packages_come_from(path) -> None:
    text = path.read_text()
    assert (
        re.findall(
            r"\w+://\S+|^\s*(?:-i|-f|--index-url|--extra-index-url|--find-links)\b.*",
            text,
            re.MULTILINE,
        )
        == []
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_package_is_pinned_twice_for_the_same_machine(path) -> None:
    pins = [re.fullmatch(r"([^\[=]+).*?==\S+(.*?)--hash.*", line) for line in requirements(path)]
    where = [pin.groups() for pin in pins]
    assert sorted(where) == sorted(set(where))


def test_sets_of_one_environment_agree() -> None:
    """The Makefile installs them one over another."""
    pins: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for name in ("embedded", "dev", "evaluation", "helm", "page"):
        found = sorted(requirements(FOLDER / f"{name}.txt"))
        for package, lines in groupby(found, lambda line: re.split(r"\[|==", line)[0]):
            pins[package].add(tuple(lines))
    assert [package for package, ways in pins.items() if len(ways) > 1] == []


LOCKS = sorted((FOLDER.parent / "tests/clients/node").glob("*/package-lock.json"))


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.parent.name)
def test_every_package_of_node_is_pinned_and_hashed_whatever_the_registry(path) -> None:
    packages = json.loads(path.read_text())["packages"]
    wanted = packages.pop("")
    named = json.loads((path.parent / "package.json").read_text())["dependencies"]
    assert wanted["dependencies"] == named
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name

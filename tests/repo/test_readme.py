"""Every block of the README is run by a suite, which takes its text from the README."""

import ast
import re
import sys

import pytest

from support.markdown import ROOT, blocks, code_spans

CI = ".ci/run"
# A drawing, not something to run.
DRAWN = {"mermaid"}

BLOCKS = [block for block in blocks() if block.language not in DRAWN]
HEADINGS = list(dict.fromkeys(block.heading for block in BLOCKS))


def _on_racro_up(block) -> bool:
    return HEADINGS.index(block.heading) < HEADINGS.index("docker compose")


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_suite_runs_the_block(block) -> None:
    if not block.suites:
        # By tests/system/test_readme.py.
        assert _on_racro_up(block), f"{block}: say above it which suite runs it"
        assert block.language in {"console", "python"}
    for suite in block.suites:
        assert suite == CI or "run_by(__file__)" in (ROOT / suite).read_text(), suite


@pytest.mark.parametrize("block", [block for block in BLOCKS if CI in block.suites], ids=str)
def test_ci_makes_what_the_block_makes(block) -> None:
    """By name, or as what a target of CI's needs first."""
    makefile = (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv")
    run = (ROOT / CI).read_text().splitlines()
    made = [
        target for program, *targets in block.commands if program == "make" for target in targets
    ]
    assert made
    assert [one for one in made if f"make {one}" not in run and f": {one}" not in makefile] == []


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "python"], ids=str
)
def test_what_python_imports_is_installed_by_the_demo_or_told(block) -> None:
    """The tests' own environment has more."""
    nodes = [*ast.walk(ast.parse(block.text))]
    imported = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    pins = (ROOT / "requirements/embedded.txt").read_text()
    installed = set(re.findall(r"^([\w-]+)==", pins, re.MULTILINE))
    told = {span.removeprefix("pip install ") for span in code_spans()}
    assert imported - sys.stdlib_module_names - installed - told == set()

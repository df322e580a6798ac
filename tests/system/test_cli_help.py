"""Help, version and completion: quick, for they import nothing that a command needs."""

import subprocess
import sys
from pathlib import Path

import pytest

import racro as package
from racro.cli.commands import SUMMARIES
from support.command import CLEAN, RACRO, invoke, racro
from support.processes import PATIENCE_S

# Each of these costs tens of milliseconds or more.
HEAVY = {
    "aiohttp", "fastapi", "httpx2", "matplotlib", "msgspec", "numpy", "opentelemetry", "pydantic",
    "redis", "rich", "torch", "uvicorn", "yaml",
}  # fmt: skip
ROOT = Path(package.__file__).parents[1]
COMPLETION = {"_RACRO_COMPLETE": "complete_bash"}


def imported(*arguments: str, **variables: str) -> set[str]:
    """The packages that the command line imports."""
    command = [sys.executable, "-X", "importtime", "-m", "racro.cli", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**CLEAN, **variables},
        check=True,
    )
    assert "racro.cli.commands" in done.stderr
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("--help",), {}),
        (("-h",), {}),
        (("--version",), {}),
        ((), {**COMPLETION, "COMP_WORDS": "racro so", "COMP_CWORD": "1"}),
    ],
)
def test_what_needs_nothing_imports_nothing(
    arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    # typer has pydantic read what is to be completed.
    known = {"pydantic"} if variables else set()
    assert imported(*arguments, **variables) & HEAVY - known == set()


def words(text: str) -> str:
    return " ".join(text.split())


def test_help_lists_every_command_with_its_summary_whole() -> None:
    shown = invoke("--help").stdout
    for name, summary in SUMMARIES.items():
        first = summary.partition(". ")[0].removesuffix(".")
        assert f"{name} {first}." in words(shown)


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_command_s_own_help_begins_with_its_summary(name: str) -> None:
    for option in ("-h", "--help"):
        shown = invoke(name, option)
        assert shown.returncode == 0, shown.stderr
        assert SUMMARIES[name] in words(shown.stdout)


@pytest.mark.parametrize(
    "command", ["keys new", "cache stats", "eval run", "eval compare", "train cro"]
)
def test_h_is_help_everywhere(command: str) -> None:
    shown = invoke(*command.split(), "-h")
    assert shown.stdout.startswith(f"Usage: racro {command} "), shown.stderr


def test_the_version_is_told() -> None:
    assert racro("--version").stdout == f"racro {package.__version__}\n"


def completed(typed: str) -> set[str]:
    variables = {**COMPLETION, "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    return set(invoke(**variables).stdout.split())


def test_a_shell_completes_commands_and_options() -> None:
    assert completed("racro so") == {"solve"}
    assert set(SUMMARIES) <= completed("racro ")
    assert "--no-tentative" in completed("racro solve --no")
    assert completed("racro keys re") == {"revoke"}


def test_the_script_for_completion_is_shown() -> None:
    shown = subprocess.run(
        ["bash", "-c", '"$0" --show-completion; exit $?', RACRO],
        capture_output=True, text=True, timeout=PATIENCE_S, env=CLEAN, check=True,
    )  # fmt: skip
    assert "_RACRO_COMPLETE=complete_bash" in shown.stdout


@pytest.mark.parametrize("checkout", [True, False])
def test_what_is_not_installed_is_named_with_the_command_that_installs_it(
    tmp_path: Path, checkout: bool
) -> None:
    """The package beside a Makefile, and beside none; Python finds no math-verify."""
    (tmp_path / "racro").symlink_to(ROOT / "racro")
    if checkout:
        (tmp_path / "Makefile").touch()
    program = (
        "import sys; sys.modules.update(math_verify=None); sys.path.insert(0, sys.argv.pop(1));"
        "from racro.cli import main; main()"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, tmp_path, "eval", "compare", "a", "b"],
        capture_output=True, text=True, timeout=PATIENCE_S, env=CLEAN, check=False,
    )  # fmt: skip
    assert said.returncode == 1
    assert "`racro eval` needs math_verify: run " in said.stderr
    made = f"run `make .venv/dev` in {tmp_path}"
    assert (made if checkout else "pip install 'racro[eval]'") in said.stderr

"""`requirements/install`: what the Makefile installs with."""

import os
import pty
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from support.processes import PATIENCE_S

INSTALL = Path(__file__).parents[2] / "requirements" / "install"


def command(requirements: Path, *more: str) -> list[str]:
    """Nothing is fetched: what is asked for is installed already, or nowhere to be found."""
    return [
        sys.executable, str(INSTALL), sys.executable, "--no-index", "--no-deps", *more,
        "-r", str(requirements),
    ]  # fmt: skip


def here(folder: Path) -> Path:
    file = folder / "requirements.txt"
    names = ("rich", "typer")
    file.write_text("# Both are here.\n" + "".join(f"{n}=={version(n)}\n" for n in names))
    return file


def test_a_pipe_gets_a_line_before_and_one_after(tmp_path: Path) -> None:
    done = subprocess.run(
        command(here(tmp_path)), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.splitlines()
    assert before.startswith("installing 2 packages into ")
    assert after.startswith("installed in ")


def test_a_terminal_is_shown_every_package(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    subprocess.run(command(here(tmp_path)), stdout=slave, timeout=PATIENCE_S, check=True)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert "[1/2] rich==" in shown
    assert "[2/2] typer==" in shown


def test_what_fails_is_told_and_is_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("racro-no-such-package==1\n")
    done = subprocess.run(
        command(file), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 1
    assert "racro-no-such-package" in done.stderr
    assert "installed in" not in done.stdout

"""Ctrl-C at any moment: no traceback, code 130 (`up`, which ends so: 0), nothing left behind."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.command import CLEAN, RACRO, WITH_CTRL_C
from support.pictures import png
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import ScriptedServer

UP = ("up", "--free-ports")


@pytest.fixture
def solving(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """A solve that nobody ever answers."""
    picture = tmp_path / "picture.png"
    picture.write_bytes(png("interrupted"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        yield ("solve", str(picture), "What?", "--gateway", f"http://127.0.0.1:{port}")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its code and what it says on stderr."""
    _, said = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    return process.returncode, said


def interrupted_after_import(module: str, *arguments: str) -> int:
    """The code of a command that is interrupted when it has imported a module, or soon after."""
    command = [*WITH_CTRL_C, sys.executable, "-X", "importtime", "-m", "racro.cli", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=CLEAN)
    for line in process.stderr:
        if line.rstrip().endswith(f" {module}"):
            process.send_signal(signal.SIGINT)
            break
    else:
        process.wait()
        raise AssertionError(f"{module} was not imported")
    return ended(process)[0]


@pytest.mark.parametrize("module", ["typer", "rich.console", "httpx2", "racro.cli.options"])
def test_solve_while_it_imports(solving: tuple[str, ...], module: str) -> None:
    assert interrupted_after_import(module, *solving) == 130


@pytest.mark.parametrize("module", ["typer", "rich.console", "httpx2", "yaml", "racro.cli.stack"])
def test_up_while_it_imports(module: str) -> None:
    assert interrupted_after_import(module, *UP) in {0, 130}


@pytest.mark.parametrize("module", ["typer", "rich.progress", "racro.cli.stack"])
def test_demo_while_it_imports(module: str) -> None:
    assert interrupted_after_import(module, "demo") == 130


@pytest.mark.parametrize(
    ("command", "code"),
    [(("doctor", "--gateway"), 130), (("up", "--free-ports", "--reasoner-url"), 0)],
)
def test_what_asks_a_server_that_never_answers(command: tuple[str, ...], code: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [*WITH_CTRL_C, RACRO, *command, url],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=CLEAN,
        )  # fmt: skip
        asking, _ = silent.accept()
        with asking:
            process.send_signal(signal.SIGINT)
            assert ended(process)[0] == code


def test_solve_while_it_waits(gateway: Service, captioner: ScriptedServer, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(png("waits"))
    captioner.script.before_s = 60
    command = [*WITH_CTRL_C, RACRO, "solve", picture, "Wait?", "--gateway", gateway.url]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=CLEAN)
    wait_until(lambda: captioner.perceptions, what="the captioner is asked")
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "")
    wait_until(lambda: captioner.perceptions[0].left_at, what="the captioner is left")


def test_solve_while_it_is_answered(
    gateway: Service, reasoner: ScriptedServer, tmp_path: Path
) -> None:
    """Its output is piped, and comes piece by piece all the same."""
    picture = tmp_path / "picture.png"
    picture.write_bytes(png("answered"))
    reasoner.script.between_s = 60
    process = subprocess.Popen(
        [*WITH_CTRL_C, RACRO, "solve", picture, "Stream?", "--gateway", gateway.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=0, env=CLEAN,
    )  # fmt: skip
    shown = ""
    while "The answer is" not in shown:
        shown += process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "")


def processes_below(process: subprocess.Popen[str]) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def gone(processes: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != "zombie" for one in processes)


@pytest.mark.parametrize(("command", "code"), [(UP, 0), (("demo",), 130)])
@pytest.mark.parametrize("services", [1, 4])
def test_nothing_is_left_of_what_was_starting(
    command: tuple[str, ...], code: int, services: int
) -> None:
    process = subprocess.Popen(
        [*WITH_CTRL_C, RACRO, *command],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=CLEAN,
    )  # fmt: skip
    started = wait_until(
        lambda: len(found := processes_below(process)) >= services and found,
        what=f"{services} processes",
    )  # fmt: skip
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == code
    wait_until(lambda: gone(started), what="they are gone")


def test_more_of_them_end_it_at_once_and_leave_nothing_either(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*WITH_CTRL_C, RACRO, *UP],
            stdout=output, stderr=subprocess.PIPE, text=True, env=CLEAN,
        )  # fmt: skip
    wait_until(lambda: re.search("RACRO serves", log.read_text()), what="it serves")
    started = processes_below(process)
    assert len(started) == 6
    for _ in range(20):
        process.send_signal(signal.SIGINT)
    # The first one is caught; the last may come when Python itself is ending.
    assert ended(process)[0] in {0, 130, -signal.SIGINT}
    wait_until(lambda: gone(started), what="they are gone")

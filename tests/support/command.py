"""The `racro` command, as it is typed, and the same in the process of the tests."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner

from racro.cli.commands import app
from racro.cli.signals import ENDING
from support.processes import PATIENCE_S

RACRO = Path(sys.executable).parent / "racro"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("RACRO_")}
# Whoever started the tests in the background had them ignore Ctrl-C.
WITH_CTRL_C = ["env", "--default-signal=INT"]


def racro(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RACRO, *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE_S, env={**CLEAN, **variables}, check=False,
    )  # fmt: skip


@contextmanager
def _as_in_a_process(variables: dict[str, str]) -> Iterator[None]:
    """What a command changes for its whole process is put back."""
    environment = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in ENDING}
    os.environ.clear()
    os.environ.update({**CLEAN, **variables})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def invoke(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """What `racro` does with these arguments, without the second that a process takes to start."""
    with _as_in_a_process(variables):
        ended = CliRunner().invoke(
            app, list(map(str, arguments)), prog_name="racro", catch_exceptions=False
        )
    return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)

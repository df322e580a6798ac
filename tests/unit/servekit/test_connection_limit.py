"""How many connections there may be, from the limit of open files of a process of its own."""

import subprocess
import sys

import pytest

from racro.servekit.connection_limit import ConnectionLimit
from support.processes import PATIENCE_S

ASK = """
import sys
from racro.base.wrong_settings import WrongSettingsError
from racro.servekit.connection_limit import most_connections
try:
    print(most_connections(eval(sys.argv[1])))
except WrongSettingsError as error:
    print(error)
"""


def most(wanted: int | None, *, limits: str) -> str:
    command = f'{limits} && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", command, "sh", sys.executable, "-c", ASK, str(wanted)],
        capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("wanted", "limits", "told"),
    [
        (None, "ulimit -n 256", "78"),
        (None, "ulimit -Sn 256; ulimit -Hn 1024", "462"),
        (None, "ulimit -n 10200", "5000"),
        (5040, "ulimit -n 10200", "5040"),
        (78, "ulimit -n 256", "78"),
        (79, "ulimit -n 256", "79 need 258 open files, and the limit of open files (ulimit -n) is"),
        (None, "ulimit -n 101", "1 need 102 open files"),
    ],
)
def test_it_is_what_the_limit_of_open_files_allows(wanted, limits, told) -> None:
    answer = most(wanted, limits=limits)
    assert told in answer if "need" in told else answer == told


def test_connections_over_it_are_refused_and_logged_once(caplog) -> None:
    limit = ConnectionLimit(2)
    assert [limit.enter() for _ in range(100)] == [True, True, *[False] * 98]
    limit.leave()
    assert [limit.enter() for _ in range(2)] == [True, False]
    assert limit.open == 2
    assert len(caplog.records) == 1

"""Containers start and stay healthy on a machine with six busy processes for each core."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator

import pytest

from support.processes import wait_until

pytestmark = pytest.mark.timeout(1200)

LOAD = 6
CHECKS = 2
# Ends with the tests, however they end.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"

Check = tuple[int, str]


@pytest.fixture(scope="module", autouse=True)
def busy_machine(stack) -> Iterator[None]:
    """Stops the gateways and starts busy processes.

    Each is in a session of its own: Linux shares the cores out among sessions.
    """
    stack.compose("stop", "gateway")
    count = LOAD * len(os.sched_getaffinity(0))
    command = [sys.executable, "-c", BUSY]
    processes = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def health(stack) -> dict[str, dict[str, Check]]:
    """The last checks of each container, by the time when they began: exit code and output."""
    containers = json.loads(stack.docker("inspect", *stack.compose("ps", "--quiet").split()))
    return {
        container["Name"]: {
            check["Start"]: (check["ExitCode"], check["Output"])
            for check in container["State"]["Health"]["Log"]
        }
        for container in containers
    }


def test_the_stack_comes_up(stack) -> None:
    stack.timed("up under load", "up", "--detach", "--wait", "--no-build")
    assert len(health(stack)) == 4


def test_no_check_fails(stack) -> None:
    """Of those that begin now: while a service starts, its checks fail and do not count."""
    before = health(stack)
    found: dict[str, dict[str, Check]] = defaultdict(dict)

    def are_enough() -> bool:
        for name, checks in health(stack).items():
            found[name] |= {at: one for at, one in checks.items() if at not in before[name]}
        return min(len(found[name]) for name in before) >= CHECKS

    wait_until(are_enough, what=f"{CHECKS} checks of each container")
    failed = {
        name: [check for check in checks.values() if check[0]] for name, checks in found.items()
    }
    assert not any(failed.values()), failed

"""Engines with processes of their own: whoever is killed, nothing is left running."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from support.processes import PATIENCE_S, wait_until

ENGINE = textwrap.dedent("""
    import os, subprocess, sys, time
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(os.getpid(), worker.pid, flush=True)
    time.sleep(600)
""")
# Stands for a service: it starts the guard and waits.
SUPERVISOR = textwrap.dedent("""
    import asyncio, os, sys
    from racro.engines.probe import HealthProbe
    from racro.engines.supervisor import Supervisor

    async def never(port):
        return False

    unasked = {"probe": HealthProbe(never), "restart_unanswered_after_s": None}

    async def main():
        command = [sys.executable, "-m", "racro.engines.guard", str(os.getpid())]
        engine = [sys.executable, "-c", sys.argv[1]]
        supervisor = Supervisor(lambda _: [*command, *engine], never, key_env="KEY", **unasked)
        await supervisor.start()
        while not supervisor._last_words:
            await asyncio.sleep(0.01)
        print(supervisor.pid, supervisor._last_words[0], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await supervisor.stop()

    asyncio.run(main())
""")


@pytest.fixture
def processes():
    """(the supervisor, the guard, the engine, its worker)."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, ENGINE],
        cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with supervisor:
        pids = map(int, supervisor.stdout.readline().split())
        yield supervisor, *map(psutil.Process, pids)
        supervisor.kill()


def all_gone(*processes: psutil.Process) -> bool:
    return not any(one.is_running() and one.status() != "zombie" for one in processes)


@pytest.mark.parametrize("victim", ["the supervisor", "the guard", "the engine"])
def test_nothing_outlives_a_kill(processes, victim) -> None:
    supervisor, guard, engine, worker = processes
    killed = {"the supervisor": supervisor.pid, "the guard": guard.pid, "the engine": engine.pid}
    os.kill(killed[victim], signal.SIGKILL)
    wait_until(lambda: all_gone(guard, engine, worker), what="all of them are gone")


def test_an_orderly_end_ends_all(processes) -> None:
    supervisor, *others = processes
    supervisor.stdin.close()
    assert supervisor.wait(PATIENCE_S) == 0
    assert all_gone(*others)

"""What a file costs the services that it passes: time on the CPU, and memory at its peak."""

from itertools import chain
from pathlib import Path
from typing import NamedTuple

import psutil

from support.process_tree import descendants, runs

_KIB = 1024


class Cost(NamedTuple):
    """Seconds of CPU, and MiB beyond what the processes have when they are idle."""

    cpu_s: float
    mib: float


class FileCosts:
    """Measures what these processes and their descendants take from `begin` on.

    The memory is the sum of each one's own peak (VmHWM), less what they had at first: no less than
    they ever had at the same time. One that is started after `begin` counts from the next one on.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._processes: list[psutil.Process] = []
        self._find()
        self._idle_mib = sum(map(_peak_mib, self._processes))

    def begin(self) -> None:
        if not all(map(runs, self._processes)):
            self._find()
        for process in self._processes:
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        self._before_s = sum(map(_cpu_s, self._processes))

    def cost(self) -> Cost:
        """Return what was spent since `begin`, which one that ended meanwhile leaves unknown."""
        running = [process for process in self._processes if runs(process)]
        cpu_s = sum(map(_cpu_s, running)) - self._before_s
        return Cost(cpu_s, sum(map(_peak_mib, running)) - self._idle_mib)

    def _find(self) -> None:
        roots = map(psutil.Process, self._pids)
        self._processes = [*roots, *chain.from_iterable(map(descendants, self._pids))]


def _cpu_s(process: psutil.Process) -> float:
    """Return its own seconds and those of the children that it has waited for."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def _peak_mib(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    [line] = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / _KIB

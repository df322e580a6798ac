"""What a file costs the services that it passes: time on the CPU, and memory at its peak."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

_PROC = Path("/proc")
_KIB = 1024


class Cost(NamedTuple):
    """Seconds of CPU of all processes, and MiB of the one that grew most since it was idle."""

    cpu_s: float
    mib: float


class FileCosts:
    """Measures what these processes and their descendants take from `begin` on.

    Of the CPU, one that ended counts by what its parent was told. Of the memory each one's peak
    (VmHWM) counts, less what it had at first; one that was started meanwhile counts in whole.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._idle_mib = {pid: _peak_mib(pid) for pid in self._tree()}
        self._before_s = 0.0

    def begin(self) -> None:
        for pid in self._tree():
            (_PROC / str(pid) / "clear_refs").write_text("5")
        self._before_s = self._cpu_s()

    def cost(self) -> Cost:
        """Return what was spent since `begin`."""
        grown = [_peak_mib(pid) - self._idle_mib.get(pid, 0) for pid in self._tree()]
        return Cost(self._cpu_s() - self._before_s, max(grown))

    def _tree(self) -> Iterator[int]:
        for pid in self._pids:
            yield from _tree(pid)

    def _cpu_s(self) -> float:
        return sum(map(_cpu_s, self._tree()))


def _tree(pid: int) -> Iterator[int]:
    """Yield a process and its descendants; to ask psutil takes 10 ms, as it reads all of /proc."""
    yield pid
    for thread in (_PROC / str(pid) / "task").glob("*"):
        with suppress(OSError):
            for child in (thread / "children").read_text().split():
                yield from _tree(int(child))


def _cpu_s(pid: int) -> float:
    """Return its own seconds and those of the children that it has waited for; 0 once it ended."""
    with suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system + times.children_user + times.children_system
    return 0.0


def _peak_mib(pid: int) -> float:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / _KIB
    return 0.0

"""What a process and all its descendants take together: memory, and time on the CPU."""

import contextlib
import threading
from collections.abc import Sequence
from typing import Self

import psutil

_EVERY_S = 0.05
_MIB = 2**20


def descendants(pid: int) -> list[psutil.Process]:
    """Return the processes that `pid` started, and those that they started, if they still run."""
    _, *below = _tree(pid)
    return list(filter(runs, below))


def runs(process: psutil.Process) -> bool:
    """Tell whether it has not ended: one that nobody has waited for yet is still listed."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


class PeakMemory:
    """Measures the most memory that a process and its descendants have together, in a block.

    What is counted is the proportional set size (PSS) of each, every 50 ms: a page that several of
    them share counts once, a page that they share with others in part. What is allocated and freed
    between two looks is not seen. All of them are killed beyond `kill_mib`, so that what should be
    bounded and is not leaves the machine to the others.
    """

    def __init__(self, pid: int, *, kill_mib: float = 5 * 1024) -> None:
        self.mib = 0.0
        self._pid = pid
        self._kill_mib = kill_mib
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        is_ended = False
        while not is_ended:
            is_ended = self._ended.wait(_EVERY_S)
            with contextlib.suppress(psutil.NoSuchProcess):
                self._look_at(_tree(self._pid))

    def _look_at(self, processes: Sequence[psutil.Process]) -> None:
        # The resident set is never less, and is known at once; to add up the proportional one of a
        # large process takes the system 15 ms.
        if sum(map(resident_mib, processes)) <= self.mib:
            return
        self.mib = max(self.mib, sum(map(_proportional_mib, processes)))
        if self.mib > self._kill_mib:
            for one in processes:
                one.kill()


def resident_mib(process: psutil.Process) -> float:
    """Return the memory (RSS) that it has, with what it shares, in MiB; 0 once it ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.memory_info().rss / _MIB
    return 0.0


def _proportional_mib(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.memory_full_info().pss / _MIB
    return 0.0


def cpu_s(pid: int) -> float:
    """Return the seconds that `pid` and its descendants have computed, ended ones included."""
    return sum(map(_cpu_s, _tree(pid)))


class CpuTime:
    """Measures what the processes that are there when it begins compute from then on.

    They are `pid` and its descendants. One that ends meanwhile counts in whole, by what the system
    tells its parent; one that starts later does not count before it has ended.
    """

    def __init__(self, pid: int) -> None:
        self._processes = _tree(pid)
        self._before = self._so_far()

    def _so_far(self) -> float:
        return sum(map(_cpu_s, self._processes))

    def spent_s(self) -> float:
        """Return the seconds of user and system time since the beginning."""
        return self._so_far() - self._before


def _cpu_s(process: psutil.Process) -> float:
    """Return its own seconds and those of the children that it has waited for; 0 once it ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system + times.children_user + times.children_system
    return 0.0

"""Processes to measure: started on loopback, awaited, weighed and ended."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2
import psutil  # type: ignore[import-untyped]

from racro.base.processes import service_environment

REPOSITORY = Path(__file__).parents[1]

_CORES = sorted(os.sched_getaffinity(0))
_CPUCLOCK_SCHED = 2
_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 20


@contextmanager
def measured_core() -> Iterator[None]:
    """Processes started in here share the first core; the others are for those who ask them."""
    with _on_cores(set(_CORES[:1])):
        yield


@contextmanager
def other_cores() -> Iterator[None]:
    """This process, and those it starts in here, keep off the measured core, if there are more."""
    with _on_cores(set(_CORES[1:] or _CORES)):
        yield


@contextmanager
def _on_cores(cores: set[int]) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cpu_clock(pid: int) -> int:
    """As clock_getcpuclockid(3) has it; /proc, and so psutil, counts in steps of 10 ms."""
    return (~pid << 3) | _CPUCLOCK_SCHED


class Process:
    """A server on a loopback port of its own; its output goes to a file, shown if it fails."""

    def __init__(
        self, command: Sequence[str], *, port: int, env: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = tempfile.NamedTemporaryFile(prefix="racro-benchmark-")  # noqa: SIM115
        self._popen = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=service_environment(env or {}),
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()
        self._log.close()

    def wait_for(self, path: str, *, timeout_s: float = _START_TIMEOUT_S) -> Self:
        """Until a GET of `path` is answered with 200."""
        deadline = time.monotonic() + timeout_s
        while not self._answers(path):
            if self._popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._popen.args!r} does not answer:\n{self.log()}")
            time.sleep(0.05)
        return self

    def terminate(self) -> None:
        """Ask it to end, as an orchestrator does."""
        self._popen.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Its exit status."""
        return self._popen.wait(_STOP_TIMEOUT_S)

    def log(self) -> str:
        return Path(self._log.name).read_text(errors="replace")[-4000:]

    def cpu_seconds(self) -> float:
        """User and system time of the process and its children until now, to the nanosecond."""
        return sum(time.clock_gettime(_cpu_clock(process.pid)) for process in self._tree())

    def rss_mib(self) -> float:
        return float(sum(process.memory_info().rss for process in self._tree())) / 2**20

    def peak_rss_mib(self) -> float:
        """Of the process alone, since its start."""
        lines = Path(f"/proc/{self._popen.pid}/status").read_text().splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 2**10

    def _tree(self) -> list[psutil.Process]:
        root = psutil.Process(self._popen.pid)
        return [root, *root.children(recursive=True)]

    def _answers(self, path: str) -> bool:
        try:
            return httpx2.get(self.url + path, timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    def _stop(self) -> None:
        self.terminate()
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

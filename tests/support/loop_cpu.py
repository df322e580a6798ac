"""Runs a service and measures how long its event loop computes at a stretch.

`python -m support.loop_cpu` is the service `LOOP_CPU_MODULE` with a callback on its loop every
5 ms, which looks at the CPU clock of the loop's thread; `MeasuredService` starts it and reads the
figures. Time in which the thread waits, for a lock or for a core, is no CPU: the figures are the
service's own on a busy machine, too.
"""

import asyncio
import mmap
import os
import runpy
import struct
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from support.processes import Service

_EVERY_S = 0.005
_FIGURES = struct.Struct("ddd")
_TESTS = Path(__file__).parents[1]


class Stretches(NamedTuple):
    """The longest stretches between two callbacks, in seconds.

    `cpu_s` is that of the loop's thread, `wall_s` time by the clock; `process_cpu_s` is what all
    threads computed since the figures were cleared.
    """

    cpu_s: float
    wall_s: float
    process_cpu_s: float


class _Probe:
    """Keeps the figures in a file, which is zeroed to begin anew."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: str) -> None:
        self._loop = loop
        with Path(path).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _FIGURES.size)
        loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._cpu, self._wall = time.thread_time(), time.monotonic()
        self._process = time.process_time()
        self._loop.call_later(_EVERY_S, self._beat)

    def _beat(self) -> None:
        cpu, wall, process = time.thread_time(), time.monotonic(), time.process_time()
        longest_cpu, longest_wall, all_cpu = _FIGURES.unpack(self._memory[:])
        self._memory[:] = _FIGURES.pack(
            max(longest_cpu, cpu - self._cpu),
            max(longest_wall, wall - self._wall),
            all_cpu + process - self._process,
        )
        self._cpu, self._wall, self._process = cpu, wall, process
        self._loop.call_later(_EVERY_S, self._beat)


class MeasuredService(Service):
    """A service in a process of its own, with a probe on its event loop."""

    def __init__(self, module: str, config: dict[str, Any] | None = None) -> None:
        self._measured = tempfile.NamedTemporaryFile()  # noqa: SIM115 - it lives as the service
        self._measured.write(bytes(_FIGURES.size))
        self._measured.flush()
        env = {
            "LOOP_CPU_FILE": self._measured.name,
            "LOOP_CPU_MODULE": module,
            "PYTHONPATH": f"{_TESTS.parent}:{_TESTS}",
        }
        super().__init__("support.loop_cpu", config, env=env)

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        self._measured.close()

    def clear(self) -> None:
        """Begin to measure anew, also the peak of the memory."""
        # In place: a file that was cut would take the memory from under the probe.
        with Path(self._measured.name).open("r+b") as file:
            file.write(bytes(_FIGURES.size))
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def stretches(self) -> Stretches:
        """Return the longest stretches since `clear`."""
        return Stretches(*_FIGURES.unpack(Path(self._measured.name).read_bytes()))

    def peak_mib(self) -> float:
        """Return the most memory (RSS) that it had since `clear`, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        [line] = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024


def _run() -> None:
    new_loop = uvloop.new_event_loop

    def new_measured_loop() -> uvloop.Loop:
        loop = new_loop()
        _Probe(loop, os.environ["LOOP_CPU_FILE"])
        return loop

    uvloop.new_event_loop = new_measured_loop
    runpy.run_module(os.environ["LOOP_CPU_MODULE"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run()

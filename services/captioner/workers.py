"""The processes that images are decoded and read in: as many as there may be, and who waits.

Decoders and recognition are native code that runs for as long, and takes as much memory, as an
image makes it. A thread could not be stopped; a process is killed, and no other request notices.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar, TypeVarTuple

from racro.base.machine import usable_cores, usable_memory_bytes
from racro.contracts.errors import InvalidImage, QueueFull, TooLarge
from racro.servekit.health import Problem
from services.captioner import worker_metrics
from services.captioner.settings import WorkersSection
from services.captioner.worker import Worker, WorkerDied

T = TypeVar("T")
Args = TypeVarTuple("Args")

# For the service itself: its interpreter, and the bodies of requests up to three times.
_SERVICE_BYTES = 512 * 2**20


class Workers:
    """Workers that requests wait for in turn. They are started when they are needed."""

    def __init__(self, settings: WorkersSection) -> None:
        self.count = settings.count or default_count(
            settings.memory_bytes, usable_bytes=usable_memory_bytes(), cores=usable_cores()
        )
        self._settings = settings
        self._places = asyncio.Semaphore(self.count)
        self._idle: list[Worker] = []
        self.busy = self.waiting = 0
        worker_metrics.WORKERS_BUSY.set_function(lambda: self.busy)
        worker_metrics.WAITING.set_function(lambda: self.waiting)

    def problem(self) -> Problem | None:
        """Tell why a request would not be taken on now."""
        if self.waiting < self._settings.max_waiting:
            return None
        return Problem(
            f"{self.waiting} requests wait for {self.count} workers; "
            f"workers.max_waiting = {self._settings.max_waiting}"
        )

    def admit(self) -> None:
        """Take a request on. Raises QueueFull."""
        if problem := self.problem():
            raise QueueFull(f"{problem.public}; ask again later")

    async def run(self, work: Callable[[*Args], T], *args: *Args, param: str | None = None) -> T:
        """Return what `work`, a function of a module, returns in a worker once one is free.

        The worker is killed when the caller is cancelled. Where it dies, the work is done once more
        by a new one. Raises what `work` raises; TooLarge where it takes more memory or time than it
        may, and InvalidImage where new workers died of it, too. `param` is the image's field.
        """
        settings = self._settings
        try:
            async with self._place():
                return await self._run(work, *args)
        except TimeoutError as error:
            said = f"the image takes longer to read than workers.timeout_s = {settings.timeout_s:g}"
            raise TooLarge(said, param=param) from error
        except MemoryError as error:
            said = "the image takes more memory to read than workers.memory_bytes = "
            raise TooLarge(f"{said}{settings.memory_bytes}", param=param) from error
        except WorkerDied as error:
            said = "the image cannot be read: processes died of it, one after another"
            raise InvalidImage(said, param=param) from error

    async def stop(self) -> None:
        """End the workers, none of which may be busy any more."""
        while self._idle:
            await self._idle.pop().stop()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
            self._places.release()

    async def _run(self, work: Callable[[*Args], T], *args: *Args) -> T:
        if self._idle:
            # It may have died while it was idle, or keep memory of earlier images.
            with suppress(WorkerDied, MemoryError):
                return await self._run_in(self._idle.pop(), work, *args)
        with suppress(WorkerDied):
            return await self._run_in(Worker(self._settings.memory_bytes), work, *args)
        return await self._run_in(Worker(self._settings.memory_bytes), work, *args)

    async def _run_in(self, worker: Worker, work: Callable[[*Args], T], *args: *Args) -> T:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await worker.run(work, *args)
        finally:
            if worker.is_alive:
                self._idle.append(worker)
            else:
                worker_metrics.WORKERS_REPLACED.inc()


def default_count(memory_bytes: int, *, usable_bytes: int, cores: int) -> int:
    """Return as many workers, of so many bytes each, as there are cores or memory has room for."""
    return max(1, min(cores, (usable_bytes - _SERVICE_BYTES) // memory_bytes))

"""The processes that images are decoded and read in: as many as there may be, and who waits.

Decoders and recognition are native code that runs for as long, and takes as much memory, as an
image makes it. A thread could not be stopped; a process is killed, and no other request notices.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
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
# An image is given to so many workers, where those before died.
_TRIES = 3


class Workers:
    """Workers that requests wait for in turn. They are started when they are needed.

    Each calls `warm_up`, a function of a module, before its first image.
    """

    def __init__(self, settings: WorkersSection, warm_up: Callable[[], object]) -> None:
        self.count = settings.count or default_count(
            settings.memory_bytes, usable_bytes=usable_memory_bytes(), cores=usable_cores()
        )
        self._settings = settings
        self._warm_up = warm_up
        self._places = asyncio.Semaphore(self.count)
        self._idle: list[Worker] = []
        self._admitted = self.busy = 0
        worker_metrics.WORKERS_BUSY.set_function(lambda: self.busy)
        worker_metrics.WAITING.set_function(lambda: self.waiting)

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return max(0, self._admitted + self.busy - self.count)

    def problem(self) -> Problem | None:
        """Tell why a request would not be taken on now."""
        if self.waiting < self._settings.max_waiting:
            return None
        return Problem(
            f"{self.waiting} requests wait for {self.count} workers; "
            f"workers.max_waiting = {self._settings.max_waiting}"
        )

    @contextmanager
    def admit(self) -> Iterator["Admission"]:
        """Take a request on, which may use the workers in the block. Raises QueueFull."""
        if problem := self.problem():
            raise QueueFull(f"{problem.public}; ask again later")
        admission = Admission(self)
        self._admitted += 1
        try:
            yield admission
        finally:
            if admission.waits:
                self._admitted -= 1

    @asynccontextmanager
    async def place(self, admission: "Admission") -> AsyncIterator[None]:
        """Wait in turn, and be at work in the block."""
        if not admission.waits:
            admission.waits = True
            self._admitted += 1
        await self._places.acquire()
        admission.waits = False
        self._admitted -= 1
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
            self._places.release()

    async def run(self, work: Callable[[*Args], T], *args: *Args) -> T:
        """Return what `work` returns in a worker; where one dies of it, in another.

        Raises what `Worker.run` does, and TimeoutError when an image has had its time.
        """
        left_s = self._settings.timeout_s
        now = asyncio.get_running_loop().time
        for tries in range(1, _TRIES + 1):
            # An idle one may have died long ago: those that follow are new.
            is_first = tries == 1
            worker = self._idle.pop() if is_first and self._idle else self._new_worker()
            is_new = worker.is_new
            try:
                await worker.start()
                began = now()
                try:
                    async with asyncio.timeout(left_s):
                        return await worker.run(work, *args)
                finally:
                    left_s -= now() - began
            except WorkerDied:
                if tries == _TRIES:
                    raise
            except MemoryError:
                # One that is not may keep memory of earlier images.
                if is_new:
                    raise
            finally:
                self._take_back(worker)
        raise AssertionError("the last try returned or raised")

    def _new_worker(self) -> Worker:
        return Worker(self._settings.memory_bytes, self._warm_up)

    def _take_back(self, worker: Worker) -> None:
        if worker.is_alive:
            self._idle.append(worker)
        else:
            worker.close()
            worker_metrics.WORKERS_REPLACED.inc()

    def refusal(self, error: Exception, param: str | None) -> Exception:
        """Return what a failure of `run` means to who sent the image in the field `param`."""
        settings = self._settings
        if isinstance(error, WorkerDied):
            said = "the image cannot be read: processes died of it, one after another"
            return InvalidImage(said, param=param)
        if isinstance(error, MemoryError):
            limit = f"memory to read than workers.memory_bytes = {settings.memory_bytes}"
        else:
            limit = f"time to read than workers.timeout_s = {settings.timeout_s:g}"
        return TooLarge(f"the image takes more {limit}", param=param)

    async def stop(self) -> None:
        """End the workers, none of which may be busy any more."""
        while self._idle:
            await self._idle.pop().stop()


class Admission:
    """A request that was taken on; `waits` until its first image is at work."""

    def __init__(self, workers: Workers) -> None:
        self.waits = True
        self._workers = workers

    async def run(self, work: Callable[[*Args], T], *args: *Args, param: str | None = None) -> T:
        """Return what `work`, a function of a module, returns in a worker once one is free.

        The worker is killed when the caller is cancelled. Where it dies, another does the work.
        Raises what `work` raises; TooLarge where it takes more memory or time than it may, and
        InvalidImage where several workers died of it. `param` is the image's field.
        """
        try:
            async with self._workers.place(self):
                return await self._workers.run(work, *args)
        except (WorkerDied, MemoryError, TimeoutError) as error:
            raise self._workers.refusal(error, param) from error


def default_count(memory_bytes: int, *, usable_bytes: int, cores: int) -> int:
    """Return as many workers, of so many bytes each, as there are cores or memory has room for."""
    return max(1, min(cores, (usable_bytes - _SERVICE_BYTES) // memory_bytes))

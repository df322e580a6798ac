"""One process that works on images: its memory is bounded, and it can be killed at any moment.

An executor of the standard library with one process each: a process that dies breaks its own
executor and no other.
"""

import asyncio
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from typing import TypeVar, TypeVarTuple

from racro.contracts.errors import RacroError
from racro.engines.guard import die_with_parent

T = TypeVar("T")
Args = TypeVarTuple("Args")

# A new interpreter: one that was forked would share the service's threads' locks.
_SPAWN = multiprocessing.get_context("spawn")
# How OpenCV and onnxruntime say that an allocation failed.
_OUT_OF_MEMORY = ("Insufficient memory", "bad_alloc", "bad allocation", "Failed to allocate")


class WorkerDied(Exception):
    """The process ended in the midst of its work, or could not be started."""


class Worker:
    """A process that does one piece of work at a time; `is_alive` while it may be given another.

    Before its first work it calls `warm_up`, a function of a module.
    """

    def __init__(self, memory_bytes: int, warm_up: Callable[[], object]) -> None:
        self.is_alive = self.is_new = True
        self._pidfd: int | None = None
        self._executor = ProcessPoolExecutor(
            1, _SPAWN, initializer=_prepare, initargs=(os.getpid(), memory_bytes)
        )
        self._pid = asyncio.wrap_future(self._executor.submit(_start, warm_up))

    async def start(self) -> None:
        """Wait until the process is ready. It starts on when the caller is cancelled.

        Raises what `warm_up` raises, and WorkerDied.
        """
        try:
            pid = await asyncio.shield(self._pid)
            if self._pidfd is None:
                # A number may be another process's once its own is gone; a descriptor is not.
                self._pidfd = os.pidfd_open(pid)
        except (BrokenProcessPool, ProcessLookupError) as error:
            self.is_alive = False
            raise WorkerDied from error
        except Exception:
            self.is_alive = False
            raise

    async def run(self, work: Callable[[*Args], T], *args: *Args) -> T:
        """Return what `work`, a function of a module, returns in the process, which was started.

        The process is killed when the caller is cancelled, and when it is out of memory. Raises
        what `work` raises, MemoryError, and WorkerDied.
        """
        self.is_new = False
        try:
            return await asyncio.wrap_future(self._executor.submit(partial(_call, work, *args)))
        except BrokenProcessPool as error:
            self.is_alive = False
            raise WorkerDied from error
        except (asyncio.CancelledError, MemoryError):
            # Of the memory that it has, it may not get as much again for the next image.
            self._kill()
            raise

    def _kill(self) -> None:
        self.is_alive = False
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Part with the process, which ends once it has nothing to do."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    async def stop(self) -> None:
        """End the process, which has nothing to do or is starting, and wait until it is gone."""
        self.is_alive = False
        await asyncio.to_thread(partial(self._executor.shutdown, cancel_futures=True))
        self.close()


# In the process.


def _prepare(parent_pid: int, memory_bytes: int) -> None:
    """Bound this process's memory, and have it end when it is told to or its parent is gone.

    Private memory is bounded; mapped files, such as libraries, are shared by all workers.
    """
    # Ctrl+C reaches all processes of a terminal; the service decides what becomes of its requests.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent_pid)
    # Read by libraries that are not imported yet: each of their threads would reserve memory.
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def _start(warm_up: Callable[[], object]) -> int:
    _call(warm_up)
    return os.getpid()


def _call(work: Callable[[*Args], T], *args: *Args) -> T:
    try:
        return work(*args)
    except RacroError:
        raise
    except Exception as error:
        if isinstance(error, MemoryError) or any(said in str(error) for said in _OUT_OF_MEMORY):
            raise MemoryError from None
        # The service may not know its type.
        raise RuntimeError(f"{type(error).__name__}: {error}") from error

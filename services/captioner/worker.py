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
from concurrent.futures import Future, ProcessPoolExecutor
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
    """The process ended in the midst of its work."""


class Worker:
    """A process that does one piece of work at a time; `is_alive` while it may be given another."""

    def __init__(self, memory_bytes: int) -> None:
        self.is_alive = True
        self._executor = ProcessPoolExecutor(
            1, _SPAWN, initializer=_prepare, initargs=(os.getpid(), memory_bytes)
        )
        self._pid = self._executor.submit(os.getpid)

    async def run(self, work: Callable[[*Args], T], *args: *Args) -> T:
        """Return what `work`, a function of a module, returns in the process.

        The process is killed when the caller is cancelled, and ended when it is out of memory.
        Raises what `work` raises, MemoryError, and WorkerDied.
        """
        try:
            future = self._executor.submit(partial(_call, work, *args))
            return await asyncio.wrap_future(future)
        except BrokenProcessPool as error:
            self.is_alive = False
            raise WorkerDied from error
        except (asyncio.CancelledError, MemoryError):
            # Of the memory that it has, it may not get as much again for the next image.
            self.kill()
            raise

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._end(wait=False)

    async def stop(self) -> None:
        """End the process, and wait until it is gone."""
        await asyncio.to_thread(self._end, wait=True)

    def _end(self, *, wait: bool) -> None:
        self.is_alive = False
        # One that is still starting is killed once its number is known.
        self._pid.add_done_callback(_kill)
        self._executor.shutdown(wait=wait, cancel_futures=True)


def _kill(pid: "Future[int]") -> None:
    if not pid.cancelled() and pid.exception() is None:
        with suppress(ProcessLookupError):
            os.kill(pid.result(), signal.SIGKILL)


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

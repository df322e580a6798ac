"""Grading the answers of models, which may be anything, in processes that can be ended."""

import asyncio
import math
import multiprocessing
import resource
import signal
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Self

from pebble import ProcessExpired, ProcessPool

from racro.grading.rules import is_right, judge

_MOST_BYTES = 4 * 2**30
_TRIES = 3
_ORPHAN_S = 2


class _Formulas(Exception):
    """Only algebra can tell."""


class Grader:
    """`is_right` within a time, for use as an async context manager in one event loop.

    What needs no algebra is decided at once. The rest goes to a pool of `workers` processes, one
    grading each and the others waiting. One that takes longer than `timeout_s` seconds, or breaks
    its worker, is decided without algebra, and the worker replaced.
    """

    def __init__(self, *, workers: int = 2, timeout_s: float = 5) -> None:
        self._workers = workers
        self._timeout_s = timeout_s
        self._pool = self._new_pool()
        # Twice the workers, so that none waits for the event loop.
        self._places = asyncio.Semaphore(2 * workers)

    def _new_pool(self) -> ProcessPool:
        # Forked off a process that has math-verify loaded, so that a new worker takes no second.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["racro.grading.algebra"])
        return ProcessPool(max_workers=self._workers, initializer=_prepare, context=context)

    async def __aenter__(self) -> Self:
        try:
            started = await asyncio.to_thread(self._pool.schedule, is_right, ("x+1", "1+x"))
            await asyncio.wrap_future(started)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        await asyncio.to_thread(self._pool.join)

    async def is_right(self, answer: str, expected: str, options: Mapping[str, str] = {}) -> bool:
        """Raises Ungradable."""
        try:
            return judge(answer, expected, options, algebra=_not_here)
        except _Formulas:
            pass
        try:
            return await self._with_algebra(answer, expected, dict(options))
        except (TimeoutError, ProcessExpired):
            return judge(answer, expected, options, algebra=lambda *_: False)

    async def _with_algebra(self, answer: str, expected: str, options: dict[str, str]) -> bool:
        async with self._places:
            for _ in range(_TRIES - 1):
                with suppress(BrokenProcessPool):
                    return await self._in_pool(answer, expected, options)
                await self._replace_pool()
            return await self._in_pool(answer, expected, options)

    async def _in_pool(self, *grading: object) -> bool:
        if not self._pool.active:
            raise BrokenProcessPool
        return await asyncio.wrap_future(
            self._pool.schedule(_bounded, (self._timeout_s, *grading), timeout=self._timeout_s)
        )

    async def _replace_pool(self) -> None:
        """A pool gives up when one of its idle workers is killed, for want of memory perhaps."""
        if not self._pool.active:
            broken, self._pool = self._pool, self._new_pool()
            await asyncio.to_thread(broken.join)


def _not_here(_answer: str, _expected: str) -> bool:
    raise _Formulas


def _bounded(timeout_s: float, answer: str, expected: str, options: Mapping[str, str]) -> bool:
    """Of a worker. The pool ends it when its time is over, the alarm where the pool is no more."""
    signal.alarm(math.ceil(timeout_s) + _ORPHAN_S)
    try:
        return is_right(answer, expected, options)
    finally:
        signal.alarm(0)


def _prepare() -> None:
    """Of a worker: end at once, also in the midst of a multiplication, and not by eating memory."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))

"""A circuit breaker: a peer that failed once is not waited for again until it answers."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway import metrics

T = TypeVar("T")

_log = logging.getLogger(__name__)

_PROBE_EVERY_S = 0.5
# Turns of the event loop in which an answer that is there already reaches the one who waits.
_TURNS = 10


class Breaker:
    """Closed until something fails; then open until `probe` succeeds, which is tried in the
    background. Each change of state is one line in the log.

    `name` says what the peer is used for: a Redis that is full can still be read.
    """

    def __init__(self, name: str, probe: Callable[[], Awaitable[object]]) -> None:
        self._name = name
        self._probe = probe
        self._probing: asyncio.Task[None] | None = None
        self.problem: str | None = None
        self._open = metrics.CACHE_BREAKER.labels(name)
        self._open.set(0)

    def trip(self, error: BaseException) -> None:
        if self.problem is not None:
            return
        self.problem = f"{self._name}: {_what_failed(error)}"
        self._open.set(1)
        _log.warning("the cache is left out of %s", self._name, extra={"cause": repr(error)})
        self._probing = asyncio.create_task(self._probe_until_it_answers())

    async def _probe_until_it_answers(self) -> None:
        while True:
            await asyncio.sleep(_PROBE_EVERY_S * random.uniform(0.75, 1.25))  # noqa: S311 - jitter
            try:
                await self._probe()
            except Exception:  # noqa: BLE001, S112 - whatever it is, the peer is still away
                continue
            self.problem = None
            self._open.set(0)
            _log.info("the cache is back for %s", self._name)
            return

    async def close(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)


def _what_failed(error: BaseException) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else "failing"


async def bounded(work: Awaitable[T], seconds: float) -> T:
    """The result of `work`, or TimeoutError after `seconds`.

    Unlike asyncio.timeout it does not take an answer for late that came in time, while the event
    loop was busy with something else.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        for _ in range(_TURNS):
            if task.done():
                return task.result()
            await asyncio.sleep(0)
        raise TimeoutError
    finally:
        task.cancel()

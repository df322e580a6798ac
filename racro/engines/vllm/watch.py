"""Watches a vLLM engine: what it tells of itself, and whether it makes tokens."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Protocol

from prometheus_client import REGISTRY, Metric
from prometheus_client.registry import Collector

from racro.contracts.errors import RacroError
from racro.engines.vllm.vitals import Vitals
from racro.servekit.health import Problem

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """Is watched; `vitals` and `make_a_token` raise RacroError where they get no answer."""

    def is_running(self) -> bool: ...

    async def vitals(self) -> Vitals: ...

    async def make_a_token(self) -> None: ...


class Watch(Collector):
    """Keeps `problem`, which says why a running engine would not answer.

    One that has made no token for `stalled_after_s` is asked for one, busy or idle; if none comes
    for as long again it is stalled. As a collector it gives Prometheus what the engine told last,
    under the engine's own names.
    """

    def __init__(self, engine: Watched, *, stalled_after_s: float, interval_s: float = 2) -> None:
        self._engine = engine
        self._interval_s = interval_s
        self._stalled_after_s = stalled_after_s
        self._last: Vitals | None = None
        self._progress_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self.problem: Problem | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_probing())
        REGISTRY.register(self)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            REGISTRY.unregister(self)

    def collect(self) -> Iterator[Metric]:
        if self._last is not None:
            yield from self._last.relayed

    async def _keep_probing(self) -> None:
        while True:
            try:
                self.problem = await self._probe()
            except Exception:  # noqa: BLE001 - it goes on watching
                _log.exception("a probe of the engine failed")
            await asyncio.sleep(self._interval_s)

    async def _probe(self) -> Problem | None:
        now = asyncio.get_running_loop().time
        if not self._engine.is_running():
            self._last, self._progress_at = None, now()
            return None
        if await self._made_tokens():
            self._progress_at = now()
        if self._last is not None and self._last.asleep:
            return Problem("the engine is asleep")
        if now() - self._progress_at >= self._stalled_after_s:
            # One that is busy may be late with this token while others come.
            if not await self._makes_a_token() and not await self._made_tokens():
                return Problem(f"the engine is stalled: no token for {self._stalled_after_s:g} s")
            self._progress_at = now()
        return None

    async def _made_tokens(self) -> bool:
        """Tell whether it made tokens since the last probe."""
        before = self._last
        try:
            self._last = await self._engine.vitals()
        except (RacroError, ValueError):  # the latter of what is no exposition format
            return False
        return before is None or self._last.tokens != before.tokens

    async def _makes_a_token(self) -> bool:
        try:
            async with asyncio.timeout(self._stalled_after_s):
                await self._engine.make_a_token()
        except (RacroError, TimeoutError):
            return False
        return True

"""Watches a vLLM engine: what it tells of itself, and whether it makes tokens."""

import asyncio
from collections.abc import Iterator
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.registry import Collector

from racro.contracts.errors import RacroError, UpstreamUnavailable
from racro.engines.probe import PATIENCE_S
from racro.engines.vllm.vitals import Vitals
from racro.servekit.health import Problem


class Watched(Protocol):
    """Is watched; `vitals` and `make_a_token` raise RacroError where they get no answer."""

    def is_running(self) -> bool: ...

    async def vitals(self) -> Vitals: ...

    async def make_a_token(self) -> None: ...


class Watch(Collector):
    """Asks a running engine, for its supervisor, whether it answers and makes tokens.

    The API server of one whose engine core hangs answers all the same. So one that has done nothing
    for `stalled_after_s` is asked for a token, busy or idle, and has not answered until it comes or
    other work is done; after as long again it is told to be stalled. `problem` says why one that
    answers would serve no request. As a collector it gives Prometheus what the engine told last,
    under the engine's own names.
    """

    def __init__(self, engine: Watched, *, stalled_after_s: float, interval_s: float = 2) -> None:
        self._engine = engine
        self._interval_s = interval_s
        self._stalled_after_s = stalled_after_s
        self._last: Vitals | None = None
        self._worked_at = 0.0
        self._wants_a_token = False
        self.problem: Problem | None = None

    @property
    def patience_s(self) -> float:
        # The queue of a busy engine may be long.
        return self._stalled_after_s if self._wants_a_token else PATIENCE_S

    @property
    def silence(self) -> str:
        if self._wants_a_token:
            return "the engine is stalled: no token"
        return "the engine has not answered"

    def collect(self) -> Iterator[Metric]:
        if self._last is not None and self._engine.is_running():
            yield from self._last.relayed

    def begin(self) -> None:
        self._last, self.problem, self._wants_a_token = None, None, False
        self._worked_at = asyncio.get_running_loop().time()

    async def ask(self, _: int) -> None:
        now = asyncio.get_running_loop().time
        if await self._has_worked():
            self._worked_at = now()
        self.problem = Problem("the engine is asleep") if self._is_asleep else None
        if self._is_asleep or now() - self._worked_at < self._stalled_after_s:
            self._wants_a_token = False
            return
        self._wants_a_token = True
        await self._token_or_work()
        self.problem = Problem("the engine is asleep") if self._is_asleep else None
        self._worked_at, self._wants_a_token = now(), False

    @property
    def _is_asleep(self) -> bool:
        return self._last is not None and self._last.asleep

    async def _token_or_work(self) -> None:
        """Return when it has made a token, done other work, or was put to sleep.

        Raises RacroError.
        """
        token = asyncio.create_task(self._engine.make_a_token())
        try:
            while not token.done():
                await asyncio.wait({token}, timeout=self._interval_s)
                if not token.done() and (await self._is_seen_working() or self._is_asleep):
                    return
            token.result()
        finally:
            token.cancel()

    async def _is_seen_working(self) -> bool:
        try:
            return await self._has_worked()
        except RacroError:
            return False

    async def _has_worked(self) -> bool:
        """Tell whether it did anything since it was asked last. Raises RacroError."""
        before = self._last
        try:
            self._last = await self._engine.vitals()
        except ValueError as error:
            raise UpstreamUnavailable("the engine's metrics cannot be read") from error
        return before is None or self._last.work != before.work

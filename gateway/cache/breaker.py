"""A circuit breaker: a peer that failed is left out until a probe of it succeeds."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping

from gateway import metrics
from racro.base.backoff import backoff
from racro.servekit.peer_timeout import peer_timeout

_log = logging.getLogger(__name__)

_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30
# A peer that fails again sooner than this has not recovered: it is probed less and less often.
_STEADY_S = 10
_PROBE_TIMEOUT_S = 1


class Breaker:
    """Opens for each mode in which a peer is used (reading, writing) when that mode fails.

    A Redis that is full can still be read, so each mode has a probe of its own in `probes`. A mode
    that was tripped stays open until its probe succeeds, which is tried in the background. Each
    change of state is one line in the log.
    """

    def __init__(self, probes: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
        self._probes = probes
        self._problems: dict[str, str] = {}
        self._probing: asyncio.Task[None] | None = None
        self._pauses = backoff(_PAUSE_S, _LONGEST_PAUSE_S)
        self._closed_at = 0.0
        for mode in probes:
            metrics.CACHE_BREAKER.labels(mode).set(0)

    @property
    def problem(self) -> str | None:
        """The first problem, with the mode that it concerns."""
        return next((f"{mode}: {problem}" for mode, problem in self._problems.items()), None)

    def is_open(self, mode: str) -> bool:
        return mode in self._problems

    def trip(self, modes: Iterable[str], problem: str, cause: BaseException) -> None:
        """Leave the peer out of `modes`; `problem` is shown to operators, `cause` is logged."""
        tripped = [mode for mode in modes if mode not in self._problems]
        if not tripped:
            return
        for mode in tripped:
            self._problems[mode] = problem
            metrics.CACHE_BREAKER.labels(mode).set(1)
        _log.warning(
            "the cache is left out of %s: %s",
            " and ".join(tripped),
            problem,
            extra={"cause": repr(cause)},
        )
        if self._probing is None:
            self._probing = asyncio.create_task(self._probe_until_all_answer())

    async def close(self) -> None:
        self._probes = {}
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    async def _probe_until_all_answer(self) -> None:
        now = asyncio.get_running_loop().time
        if now() - self._closed_at >= _STEADY_S:
            self._pauses = backoff(_PAUSE_S, _LONGEST_PAUSE_S)
        pause_s = next(self._pauses)
        while self._problems:
            await asyncio.sleep(pause_s * random.uniform(0.75, 1.25))  # noqa: S311 - jitter
            answering = [mode for mode in self._problems if await _answers(self._probes[mode])]
            for mode in answering:
                del self._problems[mode]
                metrics.CACHE_BREAKER.labels(mode).set(0)
            if answering:
                _log.info("the cache is back for %s", " and ".join(answering))
        self._closed_at = now()
        self._probing = None


async def _answers(probe: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with peer_timeout(_PROBE_TIMEOUT_S):
            await probe()
    except Exception:  # noqa: BLE001 - whatever it is, the peer is still down
        return False
    return True

"""Watches whether a child still answers."""

import asyncio
import logging

from racro.contracts.errors import RacroError
from racro.engines import engine_metrics
from racro.engines.probe import Probe

_log = logging.getLogger(__name__)

_EVERY_S = 1.0


class SilenceWatch:
    """Asks a child again and again, and counts the `seconds` since it left a question unanswered.

    Only time in which an answer could have been noticed counts: a service that was itself held up
    (a busy machine, a paused container) may find the answer waiting.
    """

    def __init__(self, probe: Probe, *, limit_s: float | None) -> None:
        self._probe = probe
        self._limit_s = limit_s
        self._has_byte = False
        self.seconds = 0.0

    @property
    def is_told(self) -> bool:
        """Whether the child has been silent for longer than patience lasts."""
        return self.seconds >= min(self._probe.patience_s, self._limit_s or self._probe.patience_s)

    @property
    def told(self) -> str:
        """Tell of the silence, as clients may see it."""
        return f"{self._probe.silence} for {self.seconds:.0f} s"

    async def until_limit(self, port: int) -> None:
        """Return when the child has not answered for the limit."""
        self._probe.begin()
        while True:
            asked = asyncio.create_task(self._ask(port))
            try:
                is_over = await self._wait_for(asked)
            finally:
                asked.cancel()
            if is_over:
                return
            self._note_answer()
            await asyncio.sleep(_EVERY_S)

    def note_byte(self) -> None:
        """Count what the child said elsewhere, to a client, as an answer."""
        self._has_byte = True

    def reset(self) -> None:
        """Forget the silence of a child that has ended."""
        self._has_byte = False
        self.seconds = 0.0
        engine_metrics.UNANSWERED_SECONDS.set(0)

    async def _wait_for(self, asked: "asyncio.Task[None]") -> bool:
        """Return False when it answers, True when the limit is over."""
        now = asyncio.get_running_loop().time
        while True:
            began, was_told = now(), self.is_told
            done, _ = await asyncio.wait({asked}, timeout=_EVERY_S)
            if done:
                return False
            if self._has_byte:
                self._note_answer()
                continue
            # At most a turn's time: of a longer one this process was not there for the rest.
            self.seconds += min(now() - began, _EVERY_S)
            engine_metrics.UNANSWERED_SECONDS.set(self.seconds)
            if self.is_told and not was_told:
                _log.error("%s", self.told)
            if self._limit_s is not None and self.seconds >= self._limit_s:
                return True

    def _note_answer(self) -> None:
        if self.is_told:
            _log.warning("the engine answers again after %.0f s", self.seconds)
        self.reset()

    async def _ask(self, port: int) -> None:
        """Return when it has answered, however late and however often it is asked."""
        while True:
            try:
                return await self._probe.ask(port)
            except (RacroError, TimeoutError):
                await asyncio.sleep(_EVERY_S)
            except Exception:  # noqa: BLE001 - a fault of ours must not end an engine
                _log.exception("a probe of the engine failed")
                return None

"""Reloading the reasoners from the gateway's YAML while it runs: all of it or nothing."""

import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path

from gateway import metrics
from gateway.reasoning.reasoners import Reasoners
from gateway.settings import GatewaySettings
from racro.base.wrong_settings import WrongSettingsError
from racro.servekit.file_stamp import stamp
from racro.servekit.settings import CONFIG_VARIABLE

_log = logging.getLogger(__name__)

_CHECK_EVERY_S = 1.0
# The settings that may change while the gateway runs.
_LIVE = {"reasoners", "later_names"}


class Reloader:
    """Replaces `reasoners` by those of the settings file when it changes, and on SIGHUP.

    A file that is wrong, or that changes what is read at start only, is refused: everything stays
    as it was, and `problem` says why.
    """

    def __init__(self, settings: GatewaySettings, reasoners: Reasoners) -> None:
        self._settings = settings
        self._reasoners = reasoners
        self._task: asyncio.Task[None] | None = None
        self._requested = asyncio.Event()
        self._handler_before = signal.getsignal(signal.SIGHUP)
        self.problem: str | None = None

    def start(self) -> None:
        if path := os.environ.get(CONFIG_VARIABLE):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._requested.set)
            self._task = asyncio.create_task(self._watch(Path(path)))

    async def stop(self) -> None:
        if self._task is not None:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, self._handler_before)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self, path: Path) -> None:
        taken = seen = stamp(path)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._requested.wait(), _CHECK_EVERY_S)
            before, seen = seen, stamp(path)
            # A file that still changes is being written.
            if self._requested.is_set() or taken != seen == before:
                self._requested.clear()
                taken = seen
                self._reload(path)

    def _reload(self, path: Path) -> None:
        try:
            settings = _reloaded(self._settings)
        except WrongSettingsError as error:
            # Everybody can read /readyz.
            why = str(error).replace(str(path), path.name)
            self.problem = f"refused, those of before are good: {why}"
            _log.error("the changed settings were refused: %s", error)
            metrics.RELOADS.labels("refused").inc()
            return
        self.problem = None
        self._settings = settings
        self._reasoners.replace(settings.reasoners)
        _log.info("settings read again; reasoners: %s", ", ".join(settings.reasoners))
        metrics.RELOADS.labels("taken").inc()


def _reloaded(before: GatewaySettings) -> GatewaySettings:
    """Read the settings again. Raises WrongSettingsError."""
    now = GatewaySettings.read()
    fixed = [
        f"{name}: is read at start only"
        for name in GatewaySettings.model_fields
        if name not in _LIVE and getattr(now, name) != getattr(before, name)
    ]
    if fixed:
        raise WrongSettingsError(*fixed)
    return now

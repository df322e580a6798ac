"""Runs `vllm serve` on loopback as a child process, asked over its public HTTP surface alone."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import REGISTRY

from racro.base.wrong_settings import WrongSettingsError
from racro.engines.engine import ServedModel, Traits
from racro.engines.probe import ASKED_AGAIN_AFTER_S
from racro.engines.supervised_engine import SupervisedEngine
from racro.engines.supervisor import Supervisor
from racro.engines.vllm.diagnosis import diagnose
from racro.engines.vllm.revision import revision_of
from racro.engines.vllm.settings import (
    LARGEST_RANK,
    VllmSettings,
    base_of,
    rank_of,
    serve_command,
)
from racro.engines.vllm.vitals import Vitals
from racro.engines.vllm.watch import Watch
from racro.servekit import tracing
from racro.servekit.health import Problem
from racro.servekit.relay import raise_for_status
from racro.servekit.upstream import Client

__all__ = ["VllmEngine", "VllmSettings"]

# Nothing of what it does leaves the machine.
_ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    # Not its service's: what the model takes is told apart from what we do.
    "OTEL_SERVICE_NAME": "vllm",
    **tracing.PROTOCOL,
}


class VllmEngine(SupervisedEngine):
    """Runs vLLM as a child process, and watches whether it makes tokens."""

    traits = Traits(image_ids=True, more_apis=True)

    def __init__(self, settings: VllmSettings, *, served_name: str) -> None:
        """Raises WrongSettingsError where model or adapter cannot be right."""
        if problem := _problem_of(settings):
            raise WrongSettingsError(problem)
        self.model = served_name
        self.models = {served_name: ServedModel(engine_name=served_name)}
        self._settings = settings
        self._watch = Watch(self, stalled_after_s=settings.stalled_after_s)
        self._supervisor = Supervisor(
            self._command,
            self._would_answer,
            key_env="VLLM_API_KEY",
            probe=self._watch,
            restart_unanswered_after_s=settings.restart_unanswered_after_s,
            diagnose=diagnose,
            environment=_ENVIRONMENT,
        )
        self._revision: str | None = None
        self._reading: asyncio.Task[str | None] | None = None

    async def start(self, client: Client) -> None:
        await super().start(client)
        REGISTRY.register(self._watch)

    async def stop(self) -> None:
        REGISTRY.unregister(self._watch)
        await super().stop()

    @property
    def known_problem(self) -> Problem | None:
        return super().known_problem or self._watch.problem

    async def revision(self) -> str | None:
        """Tell the revision of the weights, which is known before the engine is ready."""
        return self._revision

    def is_running(self) -> bool:
        return self._supervisor.has_ready_child

    async def vitals(self) -> Vitals:
        server = self._upstream(self._root_url)
        return Vitals.read(await server.get_text("/metrics", within_s=ASKED_AGAIN_AFTER_S))

    async def make_a_token(self) -> None:
        """Have a token made, through the path that requests take. Raises RacroError."""
        ask = {
            "model": self.model,
            "messages": [{"role": "user", "content": "Say yes."}],
            "max_tokens": 1,
        }
        async with self.chat(ask) as response:
            await raise_for_status(response, name="engine")
            await response.read()

    def _command(self, port: int) -> Sequence[str]:
        # Another child may find other weights under the same name.
        self._reading = None
        engine = serve_command(
            self._settings, served_name=self.model, port=port, traces=tracing.endpoint()
        )
        return [sys.executable, "-m", "racro.engines.guard", str(os.getpid()), *engine]

    async def _would_answer(self, _: int) -> bool:
        await self._upstream(self._root_url).get_json("/version")
        await self.make_a_token()
        # Not while it loads: one that has no memory would have them read again at each try.
        if self._reading is None or self._failed_to_read():
            self._reading = asyncio.create_task(asyncio.to_thread(revision_of, self._settings))
        # A large model's take longer than a probe may.
        self._revision = await asyncio.shield(self._reading)
        return True

    def _failed_to_read(self) -> bool:
        task = self._reading
        return task is not None and task.done() and task.exception() is not None


def _problem_of(settings: VllmSettings) -> str | None:
    """Tell what is wrong and can be seen before anything is loaded: minutes, for large weights."""
    if settings.model.startswith(("/", "./", "../")) and not Path(settings.model).is_dir():
        return "model: no folder there"
    adapter = settings.adapter_path
    if adapter is None:
        return None
    try:
        base, rank = base_of(adapter), rank_of(adapter)
    except (OSError, ValueError, KeyError, TypeError):
        return "adapter_path: no LoRA adapter (PEFT) there: adapter_config.json with its base and r"
    if rank > LARGEST_RANK:
        return f"adapter_path: of rank {rank}, vLLM takes {LARGEST_RANK} at most"
    # One of another model would be loaded without complaint where shapes fit, and make noise.
    if base and Path(base).name != Path(settings.model).name:
        return f"adapter_path: made for {base}, not for {settings.model}"
    return None

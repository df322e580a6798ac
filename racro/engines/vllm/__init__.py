"""vLLM as a child process: `vllm serve` on loopback, asked over its public HTTP surface alone."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from racro.contracts.errors import UpstreamUnavailable
from racro.engines.supervisor import Supervisor
from racro.engines.vllm.diagnosis import diagnose
from racro.engines.vllm.revision import revision_of
from racro.engines.vllm.settings import VllmSettings, adapter_config, serve_command
from racro.engines.vllm.vitals import Vitals
from racro.engines.vllm.watch import Watch
from racro.servekit.upstream import Upstream

__all__ = ["VllmEngine", "VllmSettings"]

_OK = 200
# Nothing of what it does leaves the machine.
_ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


class VllmEngine:
    headers: Mapping[str, str] = {}
    stream_fields: Mapping[str, Any] = {}
    plain_by_stream = False
    image_ids = True
    api_key = None

    def __init__(self, settings: VllmSettings, *, served_name: str) -> None:
        """Leaves the process where model or adapter cannot be right."""
        if problem := _problem_of(settings):
            sys.exit(f"wrong settings:\n  engine.{problem}")
        self.model = served_name
        self._settings = settings
        self._supervisor = Supervisor(
            self._command, self._would_answer, diagnose=diagnose, environment=_ENVIRONMENT
        )
        self._watch = Watch(self, stalled_after_s=settings.stalled_after_s)
        self._session: aiohttp.ClientSession | None = None
        self._revision: str | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._supervisor.port}/v1"

    async def start(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        await self._supervisor.start()
        self._watch.start()

    async def stop(self) -> None:
        await self._watch.stop()
        await self._supervisor.stop()

    async def problem(self) -> str | None:
        return self._supervisor.problem or self._watch.problem

    async def revision(self) -> str:
        if self._revision is None:
            self._revision = await asyncio.to_thread(revision_of, self._settings)
        return self._revision

    def is_running(self) -> bool:
        return self._supervisor.problem is None

    async def vitals(self) -> Vitals:
        return Vitals.read(await self._upstream().get_text("/metrics"))

    async def makes_a_token(self) -> bool:
        """Through the path that requests take."""
        ask = {
            "model": self.model,
            "messages": [{"role": "user", "content": "Say yes."}],
            "max_tokens": 1,
        }
        async with self._upstream().post("/v1/chat/completions", ask) as response:
            await response.read()
            return response.status == _OK

    def _command(self, port: int) -> Sequence[str]:
        engine = serve_command(self._settings, served_name=self.model, port=port)
        return [sys.executable, "-m", "racro.engines.guard", str(os.getpid()), *engine]

    async def _would_answer(self, _: int) -> bool:
        await self._upstream().get_json("/version")
        return await self.makes_a_token()

    def _upstream(self) -> Upstream:
        if self._session is None:
            raise UpstreamUnavailable("the engine was not started")
        return Upstream(self._session, f"http://127.0.0.1:{self._supervisor.port}", name="engine")


def _problem_of(settings: VllmSettings) -> str | None:
    """What can be seen before anything is loaded: minutes, for large weights."""
    if settings.model.startswith(("/", "./", "../")) and not Path(settings.model).is_dir():
        return "model: no folder there"
    adapter = settings.adapter_path
    if adapter is None:
        return None
    try:
        base = adapter_config(adapter)["base_model_name_or_path"]
    except (OSError, ValueError, KeyError):
        return "adapter_path: no PEFT adapter there (adapter_config.json with its base model)"
    # One of another model would be loaded without complaint where shapes fit, and make noise.
    if base and Path(base).name != Path(settings.model).name:
        return f"adapter_path: made for {base}, not for {settings.model}"
    return None

"""llama.cpp's server through xllamacpp: GGUF models on a CPU, no compiler needed."""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import aiohttp
from pydantic import Field

from racro.embedded.reasoner import ADAPTER, packaged_model
from racro.engines.supervisor import Supervisor
from racro.servekit.settings import Section
from racro.servekit.upstream import Upstream


def _packaged_adapter(settings: dict[str, Any]) -> Path | None:
    """It fits the packaged model only."""
    return ADAPTER if settings.get("model_path") == packaged_model() else None


class LlamaSettings(Section):
    kind: Literal["llama"] = "llama"
    model_path: Path | None = Field(
        default_factory=packaged_model,
        description="GGUF file; unset, the SmolLM2-135M-Instruct of the embedded extra.",
    )
    adapter_path: Path | None = Field(
        default_factory=_packaged_adapter,
        description=(
            "LoRA adapter (GGUF) for it. Unset, the one that we trained for SmolLM2-135M-Instruct "
            "where that is the model; null for none."
        ),
    )
    context_tokens: int = Field(
        default=8192, ge=256, description="Tokens of context, shared by all parallel requests."
    )
    parallel: int = Field(default=4, ge=1, le=64, description="Requests answered at once.")
    threads: int = Field(default=1, ge=1, description="CPU threads.")
    max_tokens: int = Field(
        default=1024, ge=1, description="Tokens of an answer where the request names no limit."
    )


class LlamaEngine:
    # It closes the connection after each stream without having said so.
    headers: Mapping[str, str] = {"connection": "close"}
    # It looks for a client's leaving only between the pieces of a stream, and hears of it during a
    # long prompt only where progress is streamed (with prompt batches as small as llama_server's).
    plain_by_stream = True
    image_ids = False
    more_apis = False
    stream_fields: Mapping[str, Any] = {"return_progress": True}
    api_key = None

    def __init__(self, settings: LlamaSettings, *, served_name: str) -> None:
        if settings.model_path is None or not settings.model_path.is_file():
            sys.exit(
                "wrong settings:\n  engine.model_path: no GGUF file there; set it, or install "
                "the embedded extra"
            )
        if settings.adapter_path is not None and not settings.adapter_path.is_file():
            sys.exit("wrong settings:\n  engine.adapter_path: no GGUF file there")
        self.model = served_name
        self._settings = settings
        self._model_path = settings.model_path
        self._supervisor = Supervisor(self._command, self._would_answer)
        self._session: aiohttp.ClientSession | None = None
        self._revision: str | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._supervisor.port}/v1"

    async def start(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        await self._supervisor.start()

    async def stop(self) -> None:
        await self._supervisor.stop()

    @property
    def known_problem(self) -> str | None:
        return self._supervisor.problem

    async def problem(self) -> str | None:
        return self._supervisor.problem_in_full

    async def revision(self) -> str:
        """SHA-256 of the GGUF file, shortened, and that of the adapter after a plus."""
        if self._revision is None:
            files = filter(None, (self._model_path, self._settings.adapter_path))
            digests = [await asyncio.to_thread(_file_digest, path) for path in files]
            self._revision = "+".join(digests)
        return self._revision

    def _command(self, port: int) -> list[str]:
        options = {
            "supervisor_pid": os.getpid(),
            "model": str(self._model_path),
            "adapter": str(self._settings.adapter_path or ""),
            "alias": self.model,
            "port": port,
            "n_ctx": self._settings.context_tokens,
            "n_parallel": self._settings.parallel,
            "n_predict": self._settings.max_tokens,
            "threads": self._settings.threads,
        }
        return [sys.executable, "-m", "racro.engines.llama_server", json.dumps(options)]

    async def _would_answer(self, port: int) -> bool:
        if self._session is None:
            return False
        server = Upstream(self._session, f"http://127.0.0.1:{port}", name="engine")
        return bool((await server.get_json("/health")).get("status") == "ok")


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]

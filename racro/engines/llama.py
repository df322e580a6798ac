"""Runs GGUF models on a CPU with llama.cpp's server through xllamacpp, which needs no compiler."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from racro.base.digests import file_digest
from racro.base.wrong_settings import WrongSettingsError
from racro.embedded.captioner import MODEL, NAME, PROJECTOR
from racro.embedded.default import PROMPT_PROFILE, TEXT_REASONER
from racro.embedded.reasoner import ADAPTER, packaged_model
from racro.engines.engine import ServedModel, Traits
from racro.engines.engine_sections import EngineSection, VisionSection
from racro.engines.noted_request import NotedRequest
from racro.engines.probe import ASKED_AGAIN_AFTER_S, HealthProbe, RestartUnansweredAfter
from racro.engines.supervised_engine import SupervisedEngine
from racro.engines.supervisor import Supervisor
from racro.servekit.upstream import Response

# As llama.cpp says it.
_UNLIMITED = -1
# The variable that llama.cpp's own command reads, and llama_server too.
_KEY_ENV = "LLAMA_API_KEY"
# Which adapters an answer is made with is never a client's choice.
_ADAPTERS = "lora"
# The packaged model cannot call tools: without them it answers in plain text.
_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"})
# The DRY sampler (oobabooga/text-generation-webui, pull request 5677) makes tokens less likely that
# would repeat the text before them. Without it the packaged model repeats itself; our adapter is
# trained to copy from captions, and has to do without it.
_DRY = {"dry_multiplier": 0.8}


class _LlamaSettings(EngineSection):
    kind: Literal["llama"] = "llama"
    context_tokens: int = Field(
        default=8192, ge=256, description="Tokens of context, shared by all parallel requests."
    )
    parallel: int = Field(default=4, ge=1, le=64, description="Requests answered at once.")
    threads: int = Field(default=1, ge=1, description="CPU threads.")
    restart_unanswered_after_s: RestartUnansweredAfter = 120


def _packaged_adapter(settings: dict[str, Any]) -> Path | None:
    """It fits the packaged model only."""
    return ADAPTER if settings.get("model_path") == packaged_model() else None


def _packaged_name(settings: dict[str, Any]) -> str | None:
    return TEXT_REASONER if settings.get("adapter_path") == ADAPTER else None


def _is_packaged(settings: dict[str, Any]) -> bool:
    return settings.get("model_path") == packaged_model()


class LlamaSettings(_LlamaSettings):
    """A reasoner's."""

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
    base_model: str | None = Field(
        default_factory=_packaged_name,
        description=(
            "Name under which the model is served without its adapter, beside `model`. Unset, "
            f"{TEXT_REASONER} where the adapter is ours, and else not at all."
        ),
    )
    stop_loops: bool = Field(
        default_factory=_is_packaged,
        description=(
            "End an answer when the same eight tokens come for the third time. Unset, only for the "
            "packaged SmolLM2-135M-Instruct."
        ),
    )
    max_tokens: int = Field(
        default=1024, ge=1, description="Tokens of an answer where the request names no limit."
    )

    def problem(self) -> str | None:
        """What is wrong with its files, after the name of the field."""
        if self.model_path is None or not self.model_path.is_file():
            return "model_path: no GGUF file there; set it, or install the embedded extra"
        if self.adapter_path is not None and not self.adapter_path.is_file():
            return "adapter_path: no GGUF file there"
        if self.base_model is not None and self.adapter_path is None:
            return "base_model: there is no adapter without which the model could be served"
        return None

    def most_tokens(self) -> int:
        """Return the limit of an answer whose request names none."""
        return self.max_tokens

    def files(self) -> dict[str, Path]:
        """All that shape what it says, as llama_server calls them."""
        named = {"model": self.model_path, "adapter": self.adapter_path}
        return {name: path for name, path in named.items() if path is not None}

    def served(self, name: str) -> dict[str, ServedModel]:
        """The model under `name`, and beside it, where it is wanted, without its adapter."""
        packaged = self.model_path == packaged_model()
        ignored = {_ADAPTERS} | (_TOOLS if packaged else set())
        with_adapter = ServedModel(
            engine_name=name,
            fields={} if self.adapter_path is None else _adapter_scaled(1),
            ignored=frozenset(ignored),
            prompt_profile=PROMPT_PROFILE if self.adapter_path == ADAPTER else None,
            stops_loops=self.stop_loops,
            most_choices=self.parallel,
        )
        if self.base_model in {None, name}:
            return {name: with_adapter}
        without = ServedModel(
            engine_name=name,
            without_adapter=True,
            fields=_adapter_scaled(0),
            defaults=_DRY if packaged else {},
            ignored=frozenset(ignored),
            stops_loops=self.stop_loops,
            most_choices=self.parallel,
        )
        return {name: with_adapter, self.base_model: without}


def _adapter_scaled(scale: float) -> dict[str, Any]:
    """How llama.cpp is told to apply its one adapter to a request, or not to."""
    return {_ADAPTERS: [{"id": 0, "scale": scale}]}


def _packaged_projector(settings: dict[str, Any]) -> Path | None:
    """It fits the packaged model only."""
    return PROJECTOR if settings.get("model_path") == MODEL else None


def _shown_name(settings: dict[str, Any]) -> str:
    path: Path = settings["model_path"]
    return NAME if path == MODEL else path.stem


class LlamaVisionSettings(_LlamaSettings, VisionSection):
    """A captioner's, which names a token limit of its own in every request."""

    context_tokens: int = Field(
        default=8192,
        ge=256,
        description=(
            "Tokens of context for images, prompt and caption, shared out equally to all parallel "
            "requests; none gets more than the model was trained with."
        ),
    )
    model_path: Path = Field(
        default=MODEL,
        description="GGUF file of a vision-language model; unset, the small one that we trained.",
    )
    projector_path: Path | None = Field(
        default_factory=_packaged_projector,
        description=(
            "GGUF file of its multimodal projector (mmproj). Required where model_path is set."
        ),
    )
    model: str = Field(
        default_factory=_shown_name,
        min_length=1,
        description=f"The name that clients are shown; unset, {NAME} or the file's.",
    )

    def problem(self) -> str | None:
        """What is wrong with its files, after the name of the field."""
        if not self.model_path.is_file():
            return "model_path: no GGUF file there"
        if self.projector_path is None:
            return "projector_path: must be set with model_path, it is a part of it"
        if not self.projector_path.is_file():
            return "projector_path: no GGUF file there"
        return None

    def model_name(self) -> str:
        return self.model

    def shaping(self) -> Sequence[Any]:
        """Return the share of the context: a caption that it cuts short is another one."""
        return (self.context_tokens // self.parallel,)

    def most_tokens(self) -> int:
        """Return no limit: a captioner's requests name theirs."""
        return _UNLIMITED

    def files(self) -> dict[str, Path]:
        """All that shape what it says, as llama_server calls them."""
        named = {"model": self.model_path, "projector": self.projector_path}
        return {name: path for name, path in named.items() if path is not None}

    def served(self, name: str) -> dict[str, ServedModel]:
        """The one model, under `name`."""
        return {name: ServedModel(engine_name=name)}


class LlamaEngine(SupervisedEngine):
    """Runs llama.cpp's server as a child process."""

    traits = Traits(
        # It closes the connection after each stream without having said so.
        headers={"connection": "close"},
        # It looks for a client's disconnect only between the pieces of a stream, and notices it
        # during a long prompt only where progress is streamed (with prompt batches as small as
        # llama_server's).
        plain_by_stream=True,
        stream_fields={"return_progress": True},
        # It samples no more than `parallel` texts of one request, and counts the tokens of one.
        single_samples=True,
    )

    def __init__(self, settings: LlamaSettings | LlamaVisionSettings, *, served_name: str) -> None:
        """Raises WrongSettingsError where a file of the model is missing."""
        if problem := settings.problem():
            raise WrongSettingsError(problem)
        self.model = served_name
        self.models = settings.served(served_name)
        self._settings = settings
        self._supervisor = Supervisor(
            self._command,
            self._would_answer,
            key_env=_KEY_ENV,
            probe=HealthProbe(self._would_answer),
            restart_unanswered_after_s=settings.restart_unanswered_after_s,
        )
        self._revision: str | None = None

    def post(
        self, path: str, body: Mapping[str, Any], *, name: str = "engine"
    ) -> AbstractAsyncContextManager[Response]:
        """Send a request; each byte of its answer shows that the engine does not hang."""
        return NotedRequest(super().post(path, body, name=name), self._supervisor.note_byte)

    async def revision(self) -> str:
        """SHA-256 of the GGUF file, shortened, and after a plus that of adapter or projector."""
        if self._revision is None:
            files = self._settings.files().values()
            digests = [await asyncio.to_thread(_revision, path) for path in files]
            self._revision = "+".join(digests)
        return self._revision

    def _command(self, port: int) -> list[str]:
        options = {
            "supervisor_pid": os.getpid(),
            **{name: str(path) for name, path in self._settings.files().items()},
            "alias": self.model,
            "port": port,
            "n_ctx": self._settings.context_tokens,
            "n_parallel": self._settings.parallel,
            "n_predict": self._settings.most_tokens(),
            "threads": self._settings.threads,
        }
        return [sys.executable, "-m", "racro.engines.llama_server", json.dumps(options)]

    async def _would_answer(self, port: int) -> bool:
        """Tell whether it is well; in a burst of requests that may be late."""
        server = self._upstream(f"http://127.0.0.1:{port}")
        health = await server.get_json("/health", within_s=ASKED_AGAIN_AFTER_S)
        return bool(health.get("status") == "ok")


def _revision(path: Path) -> str:
    return file_digest(path).hex()[:16]

"""vLLM as a child process: `vllm serve` on loopback, asked over its public HTTP surface alone.

Settings and flags are those of vLLM 0.32; what it renames is renamed in one table.
"""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import aiohttp
from pydantic import Field

from racro.engines.supervisor import Supervisor
from racro.servekit.settings import Section
from racro.servekit.upstream import Upstream

# The name under which an adapter is asked for.
_ADAPTER = "adapter"


class VllmSettings(Section):
    kind: Literal["vllm"]
    model: str = Field(
        description="Model on the Hugging Face hub, or a folder with weights, config, tokenizer."
    )
    revision: str | None = Field(
        default=None, description="Commit, tag or branch on the hub; unset, its default branch."
    )
    adapter_path: Path | None = Field(
        default=None, description="Folder of a LoRA adapter (PEFT) that is applied to the model."
    )
    dtype: str = Field(default="auto", description="Type of weights and activations.")
    quantization: str | None = Field(
        default=None, description="How weights are quantised, where the model's config is silent."
    )
    context_tokens: int | None = Field(
        default=None, ge=256, description="Context length; unset, the model's own."
    )
    gpu_memory: float = Field(
        default=0.9, gt=0, le=1, description="Share of the GPU's memory; two engines share one."
    )
    tensor_parallel: int = Field(default=1, ge=1, description="GPUs that share each layer.")
    pipeline_parallel: int = Field(default=1, ge=1, description="GPUs that share the layers.")
    data_parallel: int = Field(default=1, ge=1, description="Copies of the model.")
    prefix_caching: bool = Field(
        default=True, description="Keep what prompts have in common: images, chats' earlier turns."
    )
    images_per_prompt: int | None = Field(
        default=None, ge=0, description="Most images of one prompt; unset, as many as fit."
    )
    reasoning_parser: str | None = Field(
        default=None,
        description="Splits thinking from the answer (deepseek_r1, qwen3, …): reasoning_content.",
    )
    tool_parser: str | None = Field(
        default=None, description="Finds tool calls in an answer (hermes, …)."
    )
    running: int | None = Field(
        default=None, ge=1, description="Most requests in one batch; unset, vLLM's choice."
    )
    queued: int | None = Field(
        default=None, ge=1, description="Most requests running or waiting; more are answered 503."
    )
    arguments: tuple[str, ...] = Field(
        default=(), description="Further arguments of `vllm serve`, as they are."
    )
    command: tuple[str, ...] = Field(
        default=("vllm",), min_length=1, description="The program, where it is not on PATH."
    )


# vLLM's flags for settings that are a value; one that is unset is not passed.
_FLAGS = {
    "revision": "--revision",
    "dtype": "--dtype",
    "quantization": "--quantization",
    "context_tokens": "--max-model-len",
    "gpu_memory": "--gpu-memory-utilization",
    "tensor_parallel": "--tensor-parallel-size",
    "pipeline_parallel": "--pipeline-parallel-size",
    "data_parallel": "--data-parallel-size",
    "reasoning_parser": "--reasoning-parser",
    "tool_parser": "--tool-call-parser",
    "running": "--max-num-seqs",
    "queued": "--max-num-queued-reqs",
}
# What an engine behind a service of ours is always told.
_ALWAYS = ("--host", "127.0.0.1", "--disable-fastapi-docs", "--disable-uvicorn-access-log")
# None of this leaves the machine.
_ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1"}


def serve_command(settings: VllmSettings, *, served_name: str, port: int) -> list[str]:
    """The command line of `vllm serve`. What the operator adds comes last, and wins."""
    line = [*settings.command, "serve", settings.model, "--served-model-name", served_name]
    line += [*_ALWAYS, "--port", str(port)]
    for field, flag in _FLAGS.items():
        if (value := getattr(settings, field)) is not None:
            line += [flag, str(value)]
    line.append(
        "--enable-prefix-caching" if settings.prefix_caching else "--no-enable-prefix-caching"
    )
    if settings.images_per_prompt is not None:
        limits = {"image": settings.images_per_prompt, "video": 0, "audio": 0}
        line += ["--limit-mm-per-prompt", json.dumps(limits)]
    if settings.tool_parser is not None:
        line.append("--enable-auto-tool-choice")
    if settings.adapter_path is not None:
        rank = str(_adapter_config(settings.adapter_path)["r"])
        line += ["--enable-lora", "--max-lora-rank", rank]
        line += ["--lora-modules", f"{_ADAPTER}={settings.adapter_path}"]
    return [*line, *settings.arguments]


def _adapter_config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text())
    return config


class VllmEngine:
    headers: Mapping[str, str] = {}
    stream_fields: Mapping[str, Any] = {}
    plain_by_stream = False
    api_key = None

    def __init__(self, settings: VllmSettings, *, served_name: str) -> None:
        if settings.adapter_path is not None:
            _check_adapter(settings)
        self._settings = settings
        self._served_name = served_name
        self._supervisor = Supervisor(self._command, self._would_answer)
        self._session: aiohttp.ClientSession | None = None
        self._revision: str | None = None

    @property
    def model(self) -> str:
        return _ADAPTER if self._settings.adapter_path is not None else self._served_name

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._supervisor.port}/v1"

    async def start(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        await self._supervisor.start()

    async def stop(self) -> None:
        await self._supervisor.stop()

    async def problem(self) -> str | None:
        return self._supervisor.problem

    async def revision(self) -> str:
        """The hub's commit or a digest of the weights; that of the adapter after a plus."""
        if self._revision is None:
            revisions = [await asyncio.to_thread(_revision_of_model, self._settings)]
            if self._settings.adapter_path is not None:
                revisions.append(await asyncio.to_thread(_digest, self._settings.adapter_path))
            self._revision = "+".join(revisions)
        return self._revision

    def _command(self, port: int) -> Sequence[str]:
        engine = serve_command(self._settings, served_name=self._served_name, port=port)
        return [sys.executable, "-m", "racro.engines.guard", str(os.getpid()), *engine]

    async def _would_answer(self, port: int) -> bool:
        """Whether one token comes back through the path that requests take."""
        if self._session is None:
            return False
        engine = Upstream(self._session, f"http://127.0.0.1:{port}", name="engine")
        await engine.get_json("/version")
        ask = {
            "model": self.model,
            "messages": [{"role": "user", "content": "Say yes."}],
            "max_tokens": 1,
        }
        async with engine.post("/v1/chat/completions", ask) as response:
            await response.read()
            return response.status == 200  # noqa: PLR2004


def _check_adapter(settings: VllmSettings) -> None:
    """An adapter of another model would be loaded, and make noise."""
    assert settings.adapter_path is not None  # noqa: S101 - the caller has looked
    try:
        base = _adapter_config(settings.adapter_path)["base_model_name_or_path"]
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"wrong settings:\n  engine.adapter_path: no PEFT adapter there ({error})")
    if base and Path(base).name != Path(settings.model).name:
        sys.exit(
            f"wrong settings:\n  engine.adapter_path: made for {base}, not for {settings.model}"
        )


def _revision_of_model(settings: VllmSettings) -> str:
    folder = Path(settings.model)
    return _digest(folder) if folder.is_dir() else _hub_commit(settings)


def _hub_commit(settings: VllmSettings) -> str:
    """What the hub's cache says of the branch that was loaded; a commit is itself."""
    cache = (
        os.environ.get("HF_HUB_CACHE")
        or Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "hub"
    )
    name = settings.revision or "main"
    reference = Path(cache) / f"models--{settings.model.replace('/', '--')}" / "refs" / name
    return (reference.read_text().strip() if reference.is_file() else name)[:16]


def _digest(folder: Path) -> str:
    """SHA-256, shortened, over weights and configuration."""
    whole = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*.json")]):
        with path.open("rb") as file:
            whole.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:16]

"""Declares the settings of a vLLM engine, and makes its command line of them, as of vLLM 0.32."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field

from racro.engines.engine_sections import VisionSection
from racro.engines.probe import RestartUnansweredAfter

_PROCESSOR_FLAG = "--mm-processor-kwargs"
# The base model's name where the served one is the model with an adapter.
_BASE = "base"
# What --max-lora-rank takes.
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
LARGEST_RANK = _RANKS[-1]


def _without_api_key(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the arguments, of which none may be --api-key, as vLLM's parser reads it.

    It takes underscores for hyphens, and a flag that is cut short. The flag would win over the key
    that the engine is asked with, and show the other to everybody on the machine.
    """
    if any(argument.replace("_", "-").startswith("--api-k") for argument in arguments):
        raise ValueError("--api-key cannot be set: the engine has another key at each start")
    return arguments


class VllmSettings(VisionSection):
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
    stalled_after_s: float = Field(
        default=60,
        gt=0,
        description="Not ready when no token has come for so long, a test prompt's neither.",
    )
    restart_unanswered_after_s: RestartUnansweredAfter = 120
    arguments: Annotated[tuple[str, ...], AfterValidator(_without_api_key)] = Field(
        default=(), description="Further arguments of `vllm serve`, as they are."
    )
    command: tuple[str, ...] = Field(
        default=("vllm",), min_length=1, description="The program, where it is not on PATH."
    )

    def model_name(self) -> str:
        return self.model

    def shaping(self) -> Sequence[Any]:
        """Return the options that change what the weights say."""
        return self.dtype, self.quantization, *self.arguments

    def with_image_bounds(self, bounds: Mapping[str, int]) -> Self:
        """Return the settings with the bounds among the arguments, where none of them is like it.

        They are named as by the processors of Qwen's models; vLLM hands them on to the model's.
        """
        if not bounds or any(one.startswith(_PROCESSOR_FLAG) for one in self.arguments):
            return self
        more = (_PROCESSOR_FLAG, json.dumps(dict(bounds)))
        return self.model_copy(update={"arguments": (*more, *self.arguments)})


# What is unset is not passed.
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
_ALWAYS = ("--host", "127.0.0.1", "--disable-fastapi-docs", "--disable-uvicorn-access-log")


def serve_command(
    settings: VllmSettings, *, served_name: str, port: int, traces: str | None = None
) -> list[str]:
    """Return the command line of `vllm serve`. What the operator adds comes last, and wins.

    `traces`: where it sends its spans, a URL for OTLP.
    """
    line = [*settings.command, "serve", settings.model, *_ALWAYS, "--port", str(port)]
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
    if traces is not None:
        line += ["--otlp-traces-endpoint", traces]
    if settings.adapter_path is None:
        line += ["--served-model-name", served_name]
    else:
        rank = rank_of(settings.adapter_path)
        room = next(allowed for allowed in _RANKS if allowed >= rank)
        line += ["--served-model-name", _BASE, "--enable-lora", "--max-lora-rank", str(room)]
        line += ["--lora-modules", f"{served_name}={settings.adapter_path}"]
    return [*line, *settings.arguments]


def rank_of(adapter: Path) -> int:
    """Return the largest rank of its layers.

    Raises OSError, ValueError, KeyError or TypeError where the folder holds no LoRA adapter.
    """
    config = _adapter_config(adapter)
    return max(map(int, [config["r"], *(config.get("rank_pattern") or {}).values()]))


def base_of(adapter: Path) -> str | None:
    """Return the model that it was made for, as it names it. Raises as `rank_of`."""
    base: str | None = _adapter_config(adapter)["base_model_name_or_path"]
    return base


def _adapter_config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text())
    return config

"""Settings of engines that are small enough for two cores."""

from pathlib import Path
from typing import Any

# Loading two engines at once on two cores.
START_TIMEOUT_S = 1800
SMALL = ["--enforce-eager", "--block-size", "32", "--kv-cache-memory-bytes", "268435456"]
# The bounds that the captioner's own processor is saved with, in models.py.
SIZES = {"min_pixels": 4 * 28 * 28, "max_pixels": 256 * 28 * 28, "side_multiple": 28}
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_HOST_IP": "127.0.0.1",
    "GLOO_SOCKET_IFNAME": "lo",
    "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
}


def engine(vllm: Path, model: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "vllm",
        "command": [str(vllm / "bin/vllm")],
        "model": str(vllm / "models" / model),
        "context_tokens": 4096,
        "arguments": SMALL,
        **more,
    }


def seeing(vllm: Path, adapter: str) -> dict[str, Any]:
    """Settings of the captioner with one of its adapters."""
    folder = str(vllm / "models" / adapter)
    with_adapter = engine(vllm, "captioner", images_per_prompt=2, adapter_path=folder)
    return {"captioner": {"kind": "vlm", "engine": with_adapter, **SIZES}}

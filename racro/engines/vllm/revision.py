"""Which weights a vLLM engine runs."""

import hashlib
import os
from pathlib import Path

from racro.engines.vllm.settings import VllmSettings

_SHOWN = 16


def revision_of(settings: VllmSettings) -> str:
    """The hub's commit or a digest of the weights; that of the adapter after a plus.

    Reads every byte of local weights.
    """
    folder = Path(settings.model)
    model = _digest(folder) if folder.is_dir() else _hub_commit(settings)
    adapter = settings.adapter_path
    return model if adapter is None else f"{model}+{_digest(adapter)}"


def _hub_commit(settings: VllmSettings) -> str:
    """What the hub's cache says of the branch that was loaded; a commit is itself."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    name = settings.revision or "main"
    reference = cache / f"models--{settings.model.replace('/', '--')}" / "refs" / name
    return (reference.read_text().strip() if reference.is_file() else name)[:_SHOWN]


def _digest(folder: Path) -> str:
    """SHA-256, shortened, over weights, configuration and tokenizer."""
    whole = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*.json")]):
        with path.open("rb") as file:
            whole.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:_SHOWN]

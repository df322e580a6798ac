"""Finds out which weights a vLLM engine runs."""

import hashlib
import os
import re
from pathlib import Path

from racro.base.digests import file_digest
from racro.engines.vllm.settings import VllmSettings

_SHOWN = 16
_COMMIT = re.compile(r"[0-9a-f]{40}")


def revision_of(settings: VllmSettings) -> str | None:
    """Return the digest of local weights or the hub's commit; that of the adapter after a plus.

    None where the hub's cache does not tell. Reads every byte of local folders: half a minute for
    15 GB. Raises OSError.
    """
    folder, adapter = Path(settings.model), settings.adapter_path
    model = _digest(folder) if folder.is_dir() else _hub_commit(settings)
    if model is None or adapter is None:
        return model
    return f"{model}+{_digest(adapter)}"


def _hub_commit(settings: VllmSettings) -> str | None:
    """Return what the hub's cache says of the branch that was loaded; a commit is itself."""
    name = settings.revision or "main"
    if _COMMIT.fullmatch(name):
        return name[:_SHOWN]
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    reference = cache / f"models--{settings.model.replace('/', '--')}" / "refs" / name
    return reference.read_text().strip()[:_SHOWN] if reference.is_file() else None


def _digest(folder: Path) -> str:
    """Return the SHA-256, shortened, over the names and bytes of its files."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        whole.update(path.name.encode() + file_digest(path))
    return whole.hexdigest()[:_SHOWN]

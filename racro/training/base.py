"""The model that a training starts from, told apart by its content."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download

from racro.base.digests import file_digest
from racro.training.settings import Model
from racro.training.training_error import WrongBase

ADAPTER_CONFIG = "adapter_config.json"
RECORD = "training.json"  # beside the weights of each of our checkpoints: see `run`
_MODEL_FILES = ("config.json", "*.safetensors")


@dataclass(frozen=True, slots=True)
class Base:
    """`digest`: of a folder its content, of a model on the hub its commit."""

    path: str
    digest: str


def find_base(model: Model) -> Base:
    """Looks a name on the hub up there, or in the hub's cache where it is out of reach.

    Raises WrongBase, also for an adapter of another base.
    """
    folder = Path(model.path)
    base = Base(model.path, _content(folder) if folder.is_dir() else _commit(model))
    if model.adapter is not None:
        _check_adapter(model.adapter, base)
    return base


def _content(folder: Path) -> str:
    if (folder / ADAPTER_CONFIG).is_file():
        raise WrongBase(
            f"model.path: {folder} is an adapter; name its base here, and it in model.adapter"
        )
    if not (folder / "config.json").is_file():
        raise WrongBase(f"model.path: no config.json in {folder}")
    whole = hashlib.sha256()
    for path in sorted(path for pattern in _MODEL_FILES for path in folder.glob(pattern)):
        whole.update(file_digest(path))
    return f"sha256:{whole.hexdigest()}"


def _commit(model: Model) -> str:
    """The hub's cache has a folder for each commit, of that name."""
    try:
        folder = snapshot_download(
            model.path, revision=model.revision, allow_patterns=["config.json"]
        )
    except (OSError, ValueError) as error:
        raise WrongBase(
            f"model.path: {model.path} is no folder, and the hub does not give it: {error}"
        ) from error
    return f"commit:{Path(folder).name}"


def _check_adapter(adapter: Path, base: Base) -> None:
    """By the name in its configuration; one of ours also says what the base was made of."""
    try:
        named = str(json.loads((adapter / ADAPTER_CONFIG).read_bytes())["base_model_name_or_path"])
    except (OSError, ValueError, KeyError) as error:
        raise WrongBase(f"model.adapter: {adapter} is no adapter: {error}") from error
    if named != base.path and Path(named).resolve() != Path(base.path).resolve():
        raise WrongBase(f"model.adapter: {adapter} is an adapter of {named}, not of {base.path}")
    record = adapter / RECORD
    if record.is_file() and json.loads(record.read_bytes())["base"]["digest"] != base.digest:
        raise WrongBase(f"model.adapter: {base.path} is not what {adapter} was trained on any more")

"""What is trained: a model by name, LoRA on it, or an adapter that goes on; all of it or a part."""

import re
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from transformers import AutoModelForImageTextToText

from racro.base.wrong_settings import WrongSettingsError
from racro.training.settings import Lora, Model
from racro.training.training_error import WrongBase


def lora_config(lora: Lora | None) -> LoraConfig | None:
    if lora is None:
        return None
    names = lora.target_modules
    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=names if isinstance(names, str) else list(names),
        task_type="CAUSAL_LM",
    )


def model_to_train(model: Model) -> Any:
    """Raises WrongBase for an adapter that does not fit."""
    if model.adapter is None:
        return model.path
    base = AutoModelForImageTextToText.from_pretrained(
        model.path, revision=model.revision or "main", dtype=getattr(torch, model.dtype)
    )
    try:
        return PeftModel.from_pretrained(base, model.adapter, is_trainable=True)
    except (RuntimeError, ValueError) as error:
        raise WrongBase(
            f"model.adapter: {model.adapter} does not fit {model.path}: {error}"
        ) from error


def freeze(model: Any, names: str) -> None:
    """Takes weights whose whole name matches `names`, a regular expression, out of the training.

    Raises WrongSettingsError where none matches, or all do.
    """
    weights = dict(model.named_parameters())
    frozen = {name for name in weights if re.fullmatch(names, name)}
    if len(frozen) in (0, len(weights)):
        which = "all" if frozen else "none"
        example = next(iter(weights))
        raise WrongSettingsError(
            f"model.frozen: {names!r} matches {which} of the weights ({example}, …)"
        )
    for name in frozen:
        weights[name].requires_grad_(False)
    # Gradients pass a checkpointed layer only if its input has one; embeddings may be frozen, too.
    model.enable_input_require_grads()

"""Tells a VLM captioner's identity, whose fingerprint digests everything that shapes a caption."""

import hashlib
import json
from pathlib import Path

from racro.contracts.perception import Identity
from racro.contracts.prompts import RACRO_V1, prompt_texts
from services.captioner.image_work import OPTIONS
from services.captioner.images import PREPROCESSING_VERSION
from services.captioner.settings import VlmSettings


def shown_name(model: str) -> str:
    """Return the name of `model` that clients are shown: never the folder that it lies in."""
    return Path(model).name if Path(model).is_dir() else model


def identity_of(settings: VlmSettings, *, revision: str | None) -> Identity:
    """Return the identity with that revision of the weights; with None, the model's name is it."""
    model = shown_name(settings.engine.model_name())
    shaped_by = [
        model,
        revision or model,
        RACRO_V1,
        *prompt_texts(),
        settings.temperature,
        settings.max_tokens,
        PREPROCESSING_VERSION,
        settings.min_pixels,
        settings.max_pixels,
        settings.side_multiple,
        *settings.engine.shaping(),
    ]
    return Identity(
        model=model,
        revision=revision or model,
        prompt_profile=RACRO_V1,
        fingerprint=hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest(),
        options=OPTIONS,
    )

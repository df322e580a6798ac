"""Our rows as TRL's: the captioner's prompt, its images, and what the reward needs to know."""

import io
import string
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Image, List, Value
from PIL import Image as Pillow
from transformers import ProcessorMixin

from racro.base.rgb import upright_rgb
from racro.contracts.prompts import caption_prompt
from racro.problems import LeftOut, Problem
from racro.problems.problem import Image as ProblemImage
from racro.training.captions import Example
from racro.training.processing import prompt_tokens
from racro.training.settings import Length

_MESSAGES = List({"role": Value("string"), "content": Value("string")})
_FEATURES = Features(
    {
        "id": Value("string"),
        "prompt": _MESSAGES,
        "completion": _MESSAGES,
        "images": List(Image(decode=False)),
        "question": Value("string"),
        "answer": Value("string"),
        "options": {letter: Value("string") for letter in string.ascii_uppercase},
    }
)
# A process of the paper's configuration shows the images of 64 questions in a step.
_KEPT_DECODED = 256


def imitation(rows: Iterable[Example]) -> Dataset:
    """For supervised fine-tuning: prompt, images and the caption to learn."""
    return _dataset(rows, ["prompt", "images", "completion"])


def exploration(rows: Iterable[Example]) -> Dataset:
    """For CRO: prompt and images, and of the problem what its reward needs."""
    return _dataset(rows, ["prompt", "images", "id", "question", "answer", "options"])


def _dataset(rows: Iterable[Example], columns: list[str]) -> Dataset:
    """Images are decoded when a row is asked for; TRL puts them first in the user's message.

    Not by `datasets`: transformers asks for all rows of a step at once, and in CRO for each of them
    accumulation × generations times.
    """
    whole = Dataset.from_list([_row(row) for row in rows], features=_FEATURES)
    return whole.select_columns(columns).with_transform(_as_served)


def fitting(
    rows: Iterable[Example], processor: ProcessorMixin, length: Length
) -> tuple[list[Example], list[LeftOut]]:
    """Rows whose prompt, images included, and whose caption, if there is one, are short enough."""
    fit: list[Example] = []
    left_out: list[LeftOut] = []
    for row in rows:
        if reason := _too_long(row, processor, length):
            left_out.append(LeftOut(row.problem.id, reason))
        else:
            fit.append(row)
    return fit, left_out


def _too_long(row: Example, processor: ProcessorMixin, length: Length) -> str | None:
    if row.caption is not None:
        tokens = len(processor.tokenizer(row.caption)["input_ids"])
        if tokens > length.completion:
            return f"the caption has {tokens} tokens, more than length.completion"
    if length.prompt is not None:
        sizes = [_size(image) for image in row.problem.images]
        tokens = prompt_tokens(processor, _prompt(row.problem), sizes)
        if tokens > length.prompt:
            return f"the prompt has {tokens} tokens, more than length.prompt"
    return None


def _prompt(problem: Problem) -> list[dict[str, str]]:
    """racro-v1, as the captioner service asks."""
    prompt = caption_prompt(problem.prompt)
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    return [*system, {"role": "user", "content": prompt.user}]


def _row(row: Example) -> dict[str, Any]:
    problem = row.problem
    return {
        "id": problem.id,
        "prompt": _prompt(problem),
        "completion": [{"role": "assistant", "content": row.caption}],
        "images": [_stored(image) for image in problem.images],
        "question": problem.prompt,
        "answer": problem.answer,
        "options": {letter: problem.options.get(letter) for letter in string.ascii_uppercase},
    }


def _stored(image: ProblemImage) -> dict[str, Any]:
    if isinstance(image, Path):
        return {"path": str(image), "bytes": None}
    return {"path": None, "bytes": image}


def _size(image: ProblemImage) -> tuple[int, int]:
    """(height, width), out of the image's header."""
    with Pillow.open(image if isinstance(image, Path) else io.BytesIO(image)) as opened:
        return opened.height, opened.width


def _as_served(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    batch["images"] = [
        [_decoded(image["path"] if image["bytes"] is None else image["bytes"]) for image in images]
        for images in batch["images"]
    ]
    return batch


@lru_cache(_KEPT_DECODED)
def _decoded(image: str | bytes) -> Pillow.Image:
    """As the captioner service gives it to its model. Path or encoded image."""
    with Pillow.open(io.BytesIO(image) if isinstance(image, bytes) else image) as opened:
        return upright_rgb(opened)

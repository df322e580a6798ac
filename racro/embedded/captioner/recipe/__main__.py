"""Teaches the captioner to read and to tell, anew or from where it was broken off.

python -m racro.embedded.captioner.recipe FOLDER     makes FOLDER/sft, about an hour of two cores
"""

import json
import random
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast, Qwen2VLForConditionalGeneration

from racro.embedded.captioner.recipe.lessons import texts
from racro.embedded.captioner.recipe.model import make_captioner, make_tokenizer, save
from racro.embedded.captioner.recipe.optimising import Schedule
from racro.embedded.captioner.recipe.train import BATCH, Pupil

SEED = 20261128
READING_STEPS, TELLING_STEPS = 1500, 1600
_LESSONS_FOR_WORDS = 3000
_LAYER = "reading.pt"


def make(folder: Path) -> Path:
    """The folder of the captioner, in transformers' format."""
    reader, captioner = folder / "reader", folder / "sft"
    if not captioner.exists():
        pupil = _reader(reader)
        steps = pupil.learn_to_tell(random.Random(SEED + 1), Schedule(TELLING_STEPS))
        _log(steps, folder / "telling.jsonl")
        _save(pupil, captioner)
    return captioner


def _reader(folder: Path) -> Pupil:
    if folder.exists():
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        pupil = Pupil(Qwen2VLForConditionalGeneration.from_pretrained(folder), tokenizer)
        pupil.reading.load_state_dict(torch.load(folder / _LAYER))
        return pupil
    tokenizer = make_tokenizer(texts(SEED, _LESSONS_FOR_WORDS))
    pupil = Pupil(make_captioner(tokenizer, seed=SEED), tokenizer)
    steps = pupil.learn_to_read(random.Random(SEED), Schedule(READING_STEPS))
    _log(steps, folder.with_suffix(".jsonl"))
    _save(pupil, folder)
    return pupil


def _log(steps: Iterable[tuple[int, dict[str, float]]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as log:
        for step, measured in steps:
            line = {"pictures": step * BATCH, **measured, "cpu_s": round(time.process_time())}
            log.write(json.dumps(line) + "\n")
            log.flush()


def _save(pupil: Pupil, folder: Path) -> None:
    """The folder is there when all of it is."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    save(pupil.captioner, pupil.tokenizer, unfinished)
    torch.save(pupil.reading.state_dict(), unfinished / _LAYER)
    unfinished.replace(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))

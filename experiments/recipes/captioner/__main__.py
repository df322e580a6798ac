"""Teaches the captioner, anew or from the stage in which it was broken off.

python -m experiments.recipes.captioner FOLDER     makes FOLDER/sft, about an hour of two cores
"""

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerFast, Qwen2VLForConditionalGeneration

from experiments.recipes.captioner.lessons import describing, lesson, texts
from experiments.recipes.captioner.model import make_captioner, make_tokenizer, save
from experiments.recipes.captioner.optimising import Schedule
from experiments.recipes.captioner.train import BATCH, CaptionerWithReader, Progress
from racro.base.atomic import replace_folder, unfinished_beside

SEED = 20261128
_LESSONS_FOR_WORDS = 3000
_READER = "reader.pt"

# Each goes on from the one before, with pictures of its own. The last is what is fine-tuned by CRO.
STAGES: dict[str, Callable[[CaptionerWithReader, random.Random], Progress]] = {
    "reading": lambda learner, rng: learner.learn_to_read(rng, Schedule(1500)),
    "matching": lambda learner, rng: learner.learn_to_match(rng, Schedule(500)),
    "describing": lambda learner, rng: learner.learn_to_tell(
        "describing", describing, rng, Schedule(1100, peak=0.4)
    ),
    "sft": lambda learner, rng: learner.learn_to_tell("sft", lesson, rng, Schedule(1200, peak=0.4)),
}


def make(folder: Path) -> None:
    stages = list(STAGES)
    made = (number for number, stage in enumerate(stages, 1) if (folder / stage).exists())
    done = max(made, default=0)
    if done == len(stages):
        return
    learner = _load(folder / stages[done - 1]) if done else _beginner()
    for number, stage in list(enumerate(stages))[done:]:
        _log(STAGES[stage](learner, random.Random(SEED + number)), folder / f"{stage}.jsonl")
        _save(learner, folder / stage)


def _beginner() -> CaptionerWithReader:
    tokenizer = make_tokenizer(texts(SEED, _LESSONS_FOR_WORDS))
    return CaptionerWithReader(make_captioner(tokenizer, seed=SEED), tokenizer)


def _load(folder: Path) -> CaptionerWithReader:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    learner = CaptionerWithReader(
        Qwen2VLForConditionalGeneration.from_pretrained(folder), tokenizer
    )
    learner.reader.load_state_dict(torch.load(folder / _READER))
    return learner


def _save(learner: CaptionerWithReader, folder: Path) -> None:
    """The folder is there when all of it is."""
    unfinished = unfinished_beside(folder)
    save(learner.captioner, learner.tokenizer, unfinished)
    torch.save(learner.reader.state_dict(), unfinished / _READER)
    replace_folder(unfinished, folder)


def _log(progress: Progress, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as log:
        for step, measured in progress:
            line = {"pictures": step * BATCH, **measured, "cpu_s": round(time.process_time())}
            log.write(json.dumps(line) + "\n")
            log.flush()


if __name__ == "__main__":
    make(Path(sys.argv[1]))

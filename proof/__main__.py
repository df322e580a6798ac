"""python -m proof          the proof of docs/cro.md, anew or from where it was broken off
python -m proof pilot    one run of each method, judged on the development problems
"""

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from proof import report
from proof.evaluating import READER, SMOLLM2, Candidate, evaluate
from proof.problems import write_problems
from proof.runs import METHODS, STEPS, Inputs, Run
from racro.embedded.captioner.recipe.__main__ import make

OUTPUT = Path("outputs/cro")
TRAIN, DEVELOPMENT, HELD_OUT = OUTPUT / "train", OUTPUT / "development", OUTPUT / "heldout"
# Folder: (seed, problems).
_PROBLEMS = {TRAIN: (1, 3000), DEVELOPMENT: (2, 210), HELD_OUT: (3, 420)}
_PILOT, _SEEDS = 0, (1, 2, 3)
# Of the held-out problems, by reasoner.
_ASKED = {READER: 420, SMOLLM2: 140}
_CORES = 2


def main() -> None:
    inputs = _prepared()
    seeds = (_PILOT,) if "pilot" in sys.argv else _SEEDS
    runs = [Run(method, seed, OUTPUT / f"{method}-{seed}") for seed in seeds for method in METHODS]
    _side_by_side(partial(run.train, inputs, steps=STEPS[run.method]) for run in runs)
    candidates = [Candidate("start", "drawn, SFT", inputs.sft)]
    candidates += [
        Candidate(
            run.output.name, f"drawn, {_TITLES[run.method]}, seed {run.seed}", run.output / "final"
        )
        for run in runs
    ]
    if "pilot" in sys.argv:
        problems, asked = DEVELOPMENT, {READER: 210}
    else:
        candidates.append(Candidate("ocr", "OCR", None))
        problems, asked = HELD_OUT, _ASKED
    answers = OUTPUT / "answers" / problems.name
    _side_by_side(
        partial(evaluate, one, problems / "problems.jsonl", asked, answers) for one in candidates
    )
    report.write(OUTPUT, answers, problems, runs)


_TITLES = {"cro": "CRO", "sft": "SFT continued"}


def _prepared() -> Inputs:
    """Problems and the SFT checkpoint, where they are not there yet."""
    for folder, (seed, count) in _PROBLEMS.items():
        if not (folder / "captions.jsonl").exists():
            write_problems(folder, seed=seed, count=count)
    make(OUTPUT / "captioner")
    return Inputs(TRAIN, DEVELOPMENT, OUTPUT / "captioner" / "sft")


def _side_by_side(work: Iterable[Callable[[], None]]) -> None:
    """One for each core; the first failure is raised when those that run have ended."""
    with ThreadPoolExecutor(_CORES) as pool:
        for done in [pool.submit(one) for one in work]:
            done.result()


if __name__ == "__main__":
    main()

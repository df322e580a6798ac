"""The proof of docs/cro.md, anew or from where it was broken off; or its pilot: one run of each
method, judged on the development problems.
"""

import argparse
import json
import resource
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from experiments.cro_proof import report
from experiments.cro_proof.evaluating import READER, SMOLLM2, Candidate, evaluate
from experiments.cro_proof.problems import write_problems
from experiments.cro_proof.runs import METHODS, STEPS, Inputs, Method, Run
from experiments.recipes.captioner.__main__ import make

OUTPUT = Path("outputs/cro")
TRAIN, DEVELOPMENT, HELD_OUT = OUTPUT / "train", OUTPUT / "development", OUTPUT / "heldout"
# Folder: (seed, problems).
_PROBLEMS = {TRAIN: (1, 6000), DEVELOPMENT: (2, 210), HELD_OUT: (3, 840)}
_PILOT, _SEEDS = 0, (1, 2, 3)
# So many of the held-out problems, by reasoner; the first 210 are 30 of each kind.
_ASKED = {READER: 840, SMOLLM2: 210}
_ASKED_OF_OCR = {READER: 210, SMOLLM2: 210}
_TITLES: dict[Method, str] = {"cro": "CRO", "sft": "SFT continued"}
_CORES = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.cro_proof", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["proof", "pilot"], default="proof")
    what = parser.parse_args().what
    try:
        _pilot() if what == "pilot" else _proof()
    finally:
        _note_cpu(what)


def _proof() -> None:
    inputs = _prepared()
    runs = _trained(inputs, _SEEDS)
    ocr = Candidate("ocr", "OCR", None, _ASKED_OF_OCR)
    _report(runs, HELD_OUT, [*_candidates(inputs, runs, _ASKED), ocr])


def _pilot() -> None:
    inputs = _prepared()
    runs = _trained(inputs, [_PILOT])
    _report(runs, DEVELOPMENT, _candidates(inputs, runs, {READER: 210}))


def _trained(inputs: Inputs, seeds: Sequence[int]) -> list[Run]:
    runs = [Run(method, seed, OUTPUT / f"{method}-{seed}") for seed in seeds for method in METHODS]
    _side_by_side(partial(run.train, inputs, steps=STEPS[run.method]) for run in runs)
    return runs


def _candidates(
    inputs: Inputs, runs: Sequence[Run], asked: Mapping[str, int]
) -> Iterator[Candidate]:
    yield Candidate(report.START, "drawn, SFT", inputs.sft, asked)
    for run in runs:
        label = f"drawn, {_TITLES[run.method]}, seed {run.seed}"
        yield Candidate(run.output.name, label, run.output / "final", asked)


def _report(runs: Sequence[Run], problems: Path, candidates: Iterable[Candidate]) -> None:
    answers = OUTPUT / "answers" / problems.name
    _side_by_side(
        partial(evaluate, one, problems / "problems.jsonl", answers) for one in candidates
    )
    report.write(OUTPUT / f"report-{problems.name}", answers, problems, runs)


def _note_cpu(what: str) -> None:
    """CPU seconds of this process and of all that it waited for, one more line."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    with (OUTPUT / "cpu.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"what": what, "cpu_s": round(seconds)}) + "\n")


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

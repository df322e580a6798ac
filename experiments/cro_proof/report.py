"""What the proof found: tables as Markdown and JSON, the curve of the reward, captions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from experiments.cro_proof.evaluating import LABELS, READER
from experiments.cro_proof.runs import METHODS, Method, Run
from racro.contracts.prompts import NOT_TOLD
from racro.cro import terms
from racro.cro.captioned import Captioned
from racro.evaluation.results import Result
from racro.evaluation.statistics import Estimate, accuracy, mcnemar
from racro.problems import Problem, read_problems

START = "start"
_RESAMPLES, _SEED = 10_000, 7
_SHOWN = 10
_SMOOTHED_STEPS = 5

Rights = NDArray[np.bool_]


@dataclass(frozen=True)
class Findings:
    """`rights`: seeds x problems, by method, of answers from the caption only; `start` without
    seeds. The problems of a reasoner are those that it was asked.
    """

    reasoner: str
    start: Rights
    rights: Mapping[Method, Rights]

    def gain(self) -> Estimate:
        """CRO less SFT continued: a bootstrap of problems, and of the seeds of each."""
        rng = np.random.default_rng(_SEED)
        cro, sft = self.rights["cro"], self.rights["sft"]
        seeds, problems = cro.shape
        drawn = np.empty(_RESAMPLES)
        for at in range(_RESAMPLES):
            items = rng.integers(problems, size=problems)
            of_cro, of_sft = rng.integers(seeds, size=(2, seeds))
            drawn[at] = cro[of_cro][:, items].mean() - sft[of_sft][:, items].mean()
        low, high = np.percentile(drawn, (2.5, 97.5))
        return Estimate(float(cro.mean() - sft.mean()), float(low), float(high), problems)


def write(folder: Path, answers: Path, problems: Path, runs: Sequence[Run]) -> None:
    """FOLDER/report.md, report.json, curve.png and captions.png."""
    folder.mkdir(parents=True, exist_ok=True)
    read = {
        (name, reasoner): _results(path)
        for path in sorted(answers.glob("*-*"))
        for name, _, reasoner in [path.name.rpartition("-")]
        if (path / "results.jsonl").exists()
    }
    seeds = sorted({run.seed for run in runs})
    found = [_findings(read, reasoner, seeds) for reasoner in LABELS if (START, reasoner) in read]
    cpu = {run.output.name: run.cpu_s for run in runs}
    asked = {one.id: one for one in read_problems(problems / "problems.jsonl").problems}
    lines = [
        *_accuracies(read),
        *(line for one in found for line in _gains(one, seeds)),
        *_kinds(found[0], read, asked),
        *_manners(read, asked),
        *_cpu(cpu),
        *_captions(read, asked, seeds[0]),
    ]
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    gains = {one.reasoner: asdict(one.gain()) for one in found}
    accuracies = {
        f"{name}, {reasoner}": {
            condition: asdict(value) for condition, value in _by_condition(results).items()
        }
        for (name, reasoner), results in read.items()
    }
    document = {"gain": gains, "accuracy": accuracies, "cpu_s": cpu}
    (folder / "report.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    curves = {run.seed: run.history for run in runs if run.method == "cro"}
    _curve(curves).savefig(folder / "curve.png", dpi=110)
    _pictures([asked[one] for one in list(asked)[:_SHOWN]]).save(folder / "captions.png")


def _results(folder: Path) -> dict[str, Result]:
    lines = (folder / "results.jsonl").read_bytes().splitlines()
    return {one.id: one for one in (msgspec.json.decode(line, type=Result) for line in lines)}


Read = Mapping[tuple[str, str], Mapping[str, Result]]


def _findings(read: Read, reasoner: str, seeds: Sequence[int]) -> Findings:
    items = sorted(read[START, reasoner])

    def rights(name: str) -> list[bool]:
        results = read[name, reasoner]
        return [results[item].caption_only.right for item in items]

    return Findings(
        reasoner,
        np.array(rights(START)),
        {method: np.array([rights(f"{method}-{seed}") for seed in seeds]) for method in METHODS},
    )


def _by_condition(results: Mapping[str, Result]) -> dict[str, Estimate]:
    found = {}
    for condition in ("caption_only", "joint", "tentative_alone"):
        rights = [right for one in results.values() if (right := one.right(condition)) is not None]
        if rights:
            found[condition] = accuracy(sum(rights), len(rights))
    return found


def _accuracies(read: Read) -> Iterator[str]:
    yield "| captioner | reasoner | n | caption only | joint | tentative alone |"
    yield "|---|---|---|---|---|---|"
    for (name, reasoner), results in read.items():
        estimates = _by_condition(results)
        cells = (_percent(estimates[condition]) if condition in estimates else "" for condition in
                 ("caption_only", "joint", "tentative_alone"))  # fmt: skip
        yield f"| {name} | {LABELS[reasoner]} | {len(results)} | {' | '.join(cells)} |"
    yield ""


def _gains(found: Findings, seeds: Sequence[int]) -> Iterator[str]:
    gain = found.gain()
    cro, sft = found.rights["cro"], found.rights["sft"]
    yield (
        f"**{LABELS[found.reasoner]}**: {found.start.mean():.1%} at the start, "
        f"{sft.mean():.1%} with SFT continued, {cro.mean():.1%} with CRO: "
        f"CRO − SFT {gain.value * 100:+.1f} points "
        f"({gain.low * 100:+.1f} to {gain.high * 100:+.1f})."
    )
    yield ""
    yield "| seed | SFT continued | CRO | right in CRO alone | in SFT alone | McNemar's p |"
    yield "|---|---|---|---|---|---|"
    for seed, ours, theirs in zip(seeds, cro, sft, strict=True):
        gained, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
        yield (
            f"| {seed} | {theirs.mean():.1%} | {ours.mean():.1%} | {gained} | {lost} | "
            f"{mcnemar(gained, lost):.2g} |"
        )
    yield ""


def _kinds(found: Findings, read: Read, asked: Mapping[str, Problem]) -> Iterator[str]:
    items = sorted(read[START, found.reasoner])
    kinds = np.array([asked[item].category for item in items])
    yield "| kind | start | SFT continued | CRO |"
    yield "|---|---|---|---|"
    for kind in dict.fromkeys(kinds.tolist()):
        shares = (found.start[kinds == kind], *(found.rights[method][:, kinds == kind] for method in ("sft", "cro")))  # fmt: skip  # noqa: E501
        yield f"| {kind} | {' | '.join(f'{share.mean():.0%}' for share in shares)} |"
    yield ""


def _manners(read: Read, asked: Mapping[str, Problem]) -> Iterator[str]:
    """How long captions are, how many tell what the question needs, right or wrong, and how many
    give the answer away.
    """
    yield "| captioner | characters of a caption | an answer follows | leaks |"
    yield "|---|---|---|---|"
    for (name, reasoner), results in read.items():
        if reasoner == READER:
            told = [(asked[one.id], one.caption) for one in results.values()]
            leaks = [
                terms.leak(Captioned(problem.id, problem.prompt, caption, problem.answer)) < 0
                for problem, caption in told
            ]
            length = np.mean([len(caption) for _, caption in told])
            follows = np.mean([one.caption_only.answer != NOT_TOLD for one in results.values()])
            yield f"| {name} | {length:.0f} | {follows:.0%} | {sum(leaks)} of {len(leaks)} |"
    yield ""


def _cpu(cpu: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield "| run | trainer, CPU s | reasoner, CPU s |"
    yield "|---|---|---|"
    for name, seconds in cpu.items():
        yield f"| {name} | {seconds['trainer']:.0f} | {seconds.get('reasoner', 0):.0f} |"
    yield ""


def _captions(read: Read, asked: Mapping[str, Problem], seed: int) -> Iterator[str]:
    before, after = read[START, READER], read[f"cro-{seed}", READER]
    yield "| | question | expected | before | answer | after | answer |"
    yield "|---|---|---|---|---|---|---|"
    for number, problem in enumerate(list(asked.values())[:_SHOWN], 1):
        cells = [str(number), problem.question, problem.answer]
        for results in (before, after):
            one = results[problem.id]
            mark = "" if one.caption_only.right else " ✗"
            cells += [one.caption.replace("\n", " / "), f"{one.caption_only.answer}{mark}"]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _curve(histories: Mapping[int, Sequence[Mapping[str, Any]]]) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for at, (seed, entries) in enumerate(histories.items()):
        steps, rewards = _points(entries, "reward")
        window = min(_SMOOTHED_STEPS, len(rewards))
        smoothed = np.convolve(rewards, np.ones(window) / window, mode="valid")
        axes.plot(steps[window - 1 :], smoothed, color=f"C{at}", alpha=0.4)
        axes.plot(*_points(entries, "eval_reward"), "o-", color=f"C{at}", label=f"seed {seed}")
    axes.set(
        xlabel="step",
        ylabel="reward: share of right answers",
        title="Line: captions trained on, mean of 5 steps. Points: development problems",
    )
    axes.title.set_fontsize(9)
    axes.legend()
    return figure


def _points(entries: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    found = [(entry["step"], entry[name]) for entry in entries if entry.get(name) is not None]
    return [step for step, _ in found], [value for _, value in found]


def _pictures(problems: Sequence[Problem]) -> Image.Image:
    """In two rows, twice as large."""
    columns = (len(problems) + 1) // 2
    images = [Image.open(problem.images[0]) for problem in problems]
    width, height = 2 * images[0].width, 2 * images[0].height
    sheet = Image.new("RGB", (columns * (width + 6), 2 * (height + 6)), "black")
    for at, image in enumerate(images):
        row, column = divmod(at, columns)
        place = (column * (width + 6) + 3, row * (height + 6) + 3)
        sheet.paste(image.resize((width, height), Image.Resampling.NEAREST), place)
    return sheet


def _percent(one: Estimate) -> str:
    return f"{one.value:.1%} ({one.low:.0%}–{one.high:.0%})"

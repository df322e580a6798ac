"""What a run found, as report.md and report.json in its folder."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from racro.evaluation import benchmarks
from racro.evaluation.markdown import table
from racro.evaluation.output_files import write_json, write_text
from racro.evaluation.results import Result, Run, read_folder
from racro.evaluation.scores import OVERALL, Scores, by_category, percent
from racro.evaluation.statistics import RESAMPLES

_HEADINGS = ("joint", "caption only", "tentative alone")
_NATIVE_HEADINGS = ("native", *_HEADINGS[1:])
_SAME = (
    "The captioner makes no tentative response: joint and caption only are one answer, and there "
    "is none of the captioner alone."
)
_NATIVE = (
    "The reasoner saw the images itself: there is no captioner, and native is its own answer. "
    "`racro eval compare --of joint` sets it beside joint answers."
)

_FLATTERS = (
    "Items that failed are in no accuracy. Where they failed as too long for the reasoner "
    "(context_length_exceeded), that flatters long captions."
)


@dataclass(frozen=True)
class Report:
    """`table` is accuracy by category, then by condition; `tokens` by who spent them."""

    run: Run
    answered: int
    table: dict[str, Scores]
    tokens: dict[str, int]

    @property
    def is_native(self) -> bool:
        """Whether the reasoner saw the images itself."""
        return self.run.reasoner is not None and self.run.captioner is None

    @property
    def headings(self) -> tuple[str, ...]:
        """What the accuracies are called, in the order of a row."""
        return _NATIVE_HEADINGS if self.is_native else _HEADINGS

    @property
    def has_tentative(self) -> bool:
        return self.table[OVERALL]["tentative_alone"] is not None

    def rows(self) -> list[list[str]]:
        """Name, number of items, accuracies in percent with their intervals."""
        return [
            [name, str(scores["joint"].n if scores["joint"] else 0), *map(percent, scores.values())]
            for name, scores in self.table.items()
        ]

    def markdown(self) -> str:
        run = self.run
        parts = [
            f"# {run.data}",
            _facts({
                "captioner": run.captioner or "none",
                "reasoner": run.reasoner,
                "answered": f"{self.answered} of {run.problems}",
                "failed": _reasons(run.failed.values()),
                "left out": _reasons(reason for _, reason in run.left_out),
                "data": f"{run.data}, SHA-256 {run.sha256}",
                "tokens": ", ".join(f"{name} {n}" for name, n in self.tokens.items()),
                "racro": run.racro,
            }),
            table(["", "n", *self.headings], self.rows()),
            f"Accuracy in percent (95% bootstrap interval, {RESAMPLES} resamples).",
        ]  # fmt: skip
        if run.failed:
            parts.append(_FLATTERS)
        if self.is_native:
            parts.append(_NATIVE)
        elif not self.has_tentative:
            parts.append(_SAME)
        if run.benchmark is not None:
            parts.append(self._beside_the_paper(benchmarks.named(run.benchmark)))
        return "\n\n".join(parts) + "\n"

    def _beside_the_paper(self, benchmark: benchmarks.Benchmark) -> str:
        ours = [
            [f"this run, {heading}", percent(score)]
            for heading, score in zip(self.headings, self.table[OVERALL].values(), strict=True)
        ]
        theirs = [
            [f"paper, {systems}", f"{figure:.1f}"]
            for systems, figure in benchmarks.published(benchmark).items()
        ]
        return (
            f"## {benchmark.column}, beside Table 1 of arXiv 2506.04559\n\n"
            f"{table(['', '%'], ours + theirs)}\n\n"
            f"Not the same measure: {benchmark.differs}."
        )

    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "run": self.run,
            "answered": self.answered,
            "failed": Counter(self.run.failed.values()),
            "accuracy": self.table,
            "tokens": self.tokens,
        }
        if self.run.benchmark is not None:
            benchmark = benchmarks.named(self.run.benchmark)
            content["paper"] = {
                "benchmark": benchmark.column,
                "accuracy_percent": benchmarks.published(benchmark),
                "differs": benchmark.differs,
            }
        return content


def report_of(run: Run, results: Mapping[str, Result]) -> Report:
    """Raises ValueError without results."""
    if not results:
        raise ValueError("a run without results has nothing to report")
    answered = list(results.values())
    return Report(run, len(answered), by_category(answered), _tokens(answered))


def write_report(folder: Path) -> Report | None:
    """None where there is nothing to tell yet. Raises EvaluationError."""
    run, results = read_folder(folder)
    if not results:
        return None
    report = report_of(run, results)
    write_text(folder / "report.md", report.markdown())
    write_json(folder / "report.json", report.json())
    return report


def _tokens(results: Iterable[Result]) -> dict[str, int]:
    """Prompt and completion together, of all solves. Nobody spent any on a cached caption."""
    spent: Counter[str] = Counter()
    for result in results:
        solves = [result.joint, result.caption_only] if result.tentative_alone else [result.joint]
        for solve in solves:
            for system, usage in solve.usage.items():
                spent[system] += sum(usage.values())
    return dict(spent)


def _reasons(reasons: Iterable[str]) -> str:
    counted = Counter(reasons)
    told = "; ".join(f"{number} × {reason}" for reason, number in counted.most_common(5))
    return f"{counted.total()}" + (f" ({told}; rows in run.json)" if told else "")


def _facts(facts: Mapping[str, object]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())

"""The paper's seven benchmarks by the names of VLMEvalKit's files, and its Table 1.

Figures are the paper's (arXiv 2506.04559, Table 1), in percent. Which files they were measured on
is our reading: those of the Open LMM Reasoning Leaderboard, which runs VLMEvalKit.
"""

from dataclasses import dataclass
from pathlib import Path

from racro.evaluation.failures import EvaluationError

_JUDGED = "the paper has a GPT judge read the answers, here rules do (docs/evaluation.md)"
_DYNAMATH = (
    f"{_JUDGED}; and its DynaMath figure is the worst case, a question counting only where all its "
    "variants are right, where ours is plain accuracy over all variants and so higher"
)
_WEMATH = (
    f"{_JUDGED}; and its WeMath figure is the strict score over a problem and its steps, where "
    "ours is plain accuracy over all questions and so higher"
)
_MMMU = f"{_JUDGED}; and the file holds the development questions beside those for validation"


@dataclass(frozen=True)
class Benchmark:
    """`file` without its suffix, the paper's column, and how its scoring differs from ours."""

    file: str
    column: str
    differs: str = _JUDGED


BENCHMARKS = (
    Benchmark("MathVista_MINI", "MathVista"),
    Benchmark("MathVision", "MathVision"),
    Benchmark("MathVerse_MINI_Vision_Only", "MathVerse"),
    Benchmark("MMMU_DEV_VAL", "MMMU", _MMMU),
    Benchmark("WeMath", "WeMath", _WEMATH),
    Benchmark("DynaMath", "DynaMath", _DYNAMATH),
    Benchmark("LogicVista", "LogicVista"),
)

# Captioner and reasoner, then a figure a benchmark in the order above.
_TABLE_1: dict[str, tuple[float, ...]] = {
    "Qwen2.5-VL-3B alone": (64.5, 21.9, 28.8, 50.1, 24.2, 13.4, 39.6),
    "3B + R1-7B": (64.5, 36.3, 39.3, 51.7, 31.5, 21.4, 46.5),
    "3B + Qwen3-8B": (68.6, 39.6, 43.7, 58.6, 32.3, 29.3, 51.9),
    "3B + R1-32B": (70.2, 41.5, 43.8, 58.4, 32.5, 30.3, 55.7),
    "Qwen2.5-VL-7B alone": (70.3, 25.8, 41.0, 57.3, 34.4, 19.4, 46.1),
    "7B + R1-7B": (71.9, 38.9, 45.3, 58.7, 37.1, 27.0, 49.7),
    "7B + Qwen3-8B": (70.0, 41.5, 44.8, 60.6, 38.6, 26.5, 50.1),
    "7B + R1-32B": (74.4, 42.5, 46.6, 61.1, 31.0, 30.3, 55.0),
    "Qwen2.5-VL-32B alone": (76.8, 37.8, 50.1, 69.0, 43.1, 33.3, 55.0),
    "32B + R1-7B": (75.4, 44.5, 52.9, 68.8, 48.3, 35.1, 54.6),
    "32B + Qwen3-8B": (75.5, 47.1, 54.9, 67.9, 50.0, 35.7, 58.2),
    "32B + R1-32B": (75.9, 46.7, 55.6, 69.0, 48.9, 37.1, 58.6),
}


def named(name: str) -> Benchmark:
    """By file or by the paper's column, whatever the case. Raises EvaluationError."""
    for benchmark in BENCHMARKS:
        if name.casefold() in {benchmark.file.casefold(), benchmark.column.casefold()}:
            return benchmark
    known = ", ".join(benchmark.file for benchmark in BENCHMARKS)
    raise EvaluationError(f"--benchmark {name}: there are {known}")


def file_of(benchmark: Benchmark, data: Path) -> Path:
    """`data`, or the benchmark's file in it where it is a folder, as VLMEvalKit keeps them."""
    return data / f"{benchmark.file}.tsv" if data.is_dir() else data


def published(benchmark: Benchmark) -> dict[str, float]:
    """Returns the paper's accuracies in percent, by captioner and reasoner; none if it has none."""
    column = BENCHMARKS.index(benchmark)
    return {
        systems: figures[column] for systems, figures in _TABLE_1.items() if column < len(figures)
    }

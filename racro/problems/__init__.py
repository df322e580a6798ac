"""Questions about images whose answers are known: read, checked, split, decontaminated, written."""

from racro.problems.decontamination import decontaminated
from racro.problems.jsonl import write_jsonl
from racro.problems.problem import LeftOut, Problem, Reading, image_bytes
from racro.problems.reading import read_problems
from racro.problems.splits import split

__all__ = [
    "LeftOut",
    "Problem",
    "Reading",
    "decontaminated",
    "image_bytes",
    "read_problems",
    "split",
    "write_jsonl",
]

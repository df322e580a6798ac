"""Results and folders of evaluations, made by hand."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from racro.evaluation.results import Graded, Result, Run, RunFolder, Solved, System

CAPTIONER = System("eye", "e1", "racro-v1")
REASONER = System("mind", "m1")


def solved(right: bool) -> Solved:
    return Solved(
        answer="5" if right else "6",
        right=right,
        text="It is so.",
        finish_reason="stop",
        usage={"captioner": {"prompt_tokens": 100}, "reasoner": {"prompt_tokens": 7}},
        timing_ms={"total": 1.5},
    )


def result(
    item: str, *, joint: bool = True, caption_only: bool = True, tentative: bool | None = True,
    **more: Any,
) -> Result:  # fmt: skip
    fields = {
        "category": "",
        "expected": "5",
        "caption": "A bar.",
        "tentative": None if tentative is None else "I think.",
        "truncated": (),
        "cache": "miss",
        "captioner": CAPTIONER,
        "reasoner": REASONER,
        "joint": solved(joint),
        "caption_only": solved(caption_only),
        "tentative_alone": None if tentative is None else Graded("5", tentative),
    }
    return Result(id=item, **fields | more)


def run_of(**more: Any) -> Run:
    fields: dict[str, Any] = {
        "data": "Charts.tsv",
        "sha256": "a" * 64,
        "gateway": "http://gateway",
        "model": "default",
        "problems": 3,
        "left_out": (),
        "racro": "0.1.0",
    }
    return Run(**fields | more)


def written(folder: Path, results: Iterable[Result], **run: Any) -> Path:
    with RunFolder.opened(folder, run_of(**run)) as opened:
        for one in results:
            opened.add(one)
    return folder

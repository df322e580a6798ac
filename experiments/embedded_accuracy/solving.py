"""The whole embedded default, asked as its users ask it: `POST /v1/solve` with the picture."""

import base64
import io
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from experiments.embedded_accuracy.items import Drawing, Question
from racro.cli.stack import Ports, Stack, embedded_default

_TIMEOUT_S = 300


@dataclass(frozen=True)
class Solved:
    question: Question
    answer: str
    perceive_ms: float
    reason_ms: float


def solve_all(drawings: Sequence[Drawing], on_answer: Callable[[], None]) -> list[Solved]:
    """One after the other; each question has a caption of its own made."""
    stack = Stack(embedded_default(Ports.free()))
    with (
        stack.running(lambda _name, _seconds: None),
        httpx2.Client(base_url=stack.url, timeout=_TIMEOUT_S, trust_env=False) as client,
    ):
        solved = []
        for drawing in drawings:
            image = _data_url(drawing)
            for question in drawing.questions:
                solved.append(_solve(client, image, question))
                on_answer()
        return solved


def _data_url(drawing: Drawing) -> str:
    file = io.BytesIO()
    drawing.image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _solve(client: httpx2.Client, image: str, question: Question) -> Solved:
    response = client.post("/v1/solve", json={"question": question.text, "images": [image]})
    response.raise_for_status()
    body: dict[str, Any] = response.json()
    return Solved(
        question=question,
        answer=body["answer"],
        perceive_ms=body["timing_ms"]["perceive"],
        reason_ms=body["timing_ms"]["reason"],
    )


def timing(solved: Sequence[Solved]) -> dict[str, float]:
    """Seconds of a warm solve, its caption made, and of the reasoner's part of it."""
    fresh = [one.perceive_ms + one.reason_ms for one in solved]
    reason = [one.reason_ms for one in solved]
    return {
        "solve_median_s": round(statistics.median(fresh) / 1000, 2),
        "solve_p95_s": round(statistics.quantiles(fresh, n=20)[-1] / 1000, 2),
        "solve_longest_s": round(max(fresh) / 1000, 2),
        "reason_median_s": round(statistics.median(reason) / 1000, 2),
    }

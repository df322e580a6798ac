"""`racro eval run` over the real gateway, whose captioner and reasoner answer at once."""

import asyncio
import json
import tempfile
import time
from pathlib import Path

from benchmarks import deployments
from benchmarks.pictures import Noise
from benchmarks.report import Row
from racro.evaluation.runner import Plan, RunObserver
from racro.evaluation.runner import run as evaluate

_ITEMS = 1000
_IMAGE_BYTES = 20_000
# 100 items a second.
_TARGET_MS = 10


def run() -> list[Row]:
    with (
        deployments.upstream() as upstream,
        deployments.gateway(upstream.url) as gateway,
        tempfile.TemporaryDirectory() as folder,
    ):
        data = _written(Path(folder))
        plan = Plan(data=data, gateway=gateway.url, model="default", output=Path(folder) / "run")
        observer = RunObserver()
        began = time.perf_counter()
        asyncio.run(evaluate(plan, observer))
        seconds = time.perf_counter() - began
    if observer.failed:
        raise RuntimeError(f"{len(observer.failed)} items failed")
    return [
        Row("evaluation", "an item: two solves, graded", seconds / _ITEMS * 1e3, "ms", _TARGET_MS)
    ]


def _written(folder: Path) -> Path:
    noise = Noise(_IMAGE_BYTES)
    lines = []
    for number in range(_ITEMS):
        image = folder / f"{number}.png"
        image.write_bytes(noise.png(f"item {number}"))
        problem = {
            "id": str(number),
            "question": "How high is the bar?",
            "images": [image.name],
            "answer": "42" if number % 2 else "43",
        }
        lines.append(json.dumps(problem))
    path = folder / "problems.jsonl"
    path.write_text("\n".join(lines))
    return path

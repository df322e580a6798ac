"""The proof's drawn problems: a picture, a question, its answer, and a teacher's caption."""

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

from experiments.recipes.captioner.asking import ask
from experiments.recipes.captioner.scenes import KINDS, draw_scene
from experiments.recipes.captioner.telling import caption
from racro.problems import Problem
from racro.problems.jsonl import write_jsonl

CAPTIONS = "captions.jsonl"


def write_problems(folder: Path, *, seed: int, count: int) -> None:
    """`problems.jsonl`, and `captions.jsonl`: the same lines with captions to imitate."""
    made = list(_problems(seed, count))
    problems = write_jsonl((problem for problem, _ in made), folder)
    lines = problems.read_text(encoding="utf-8").splitlines()
    captioned = (
        json.dumps({**json.loads(line), "caption": text})
        for line, (_, text) in zip(lines, made, strict=True)
    )
    (folder / CAPTIONS).write_text("\n".join(captioned) + "\n", encoding="utf-8")


def _problems(seed: int, count: int) -> Iterator[tuple[Problem, str]]:
    """Of each kind of picture as many, to one or two."""
    rng = random.Random(seed)
    for number in range(count):
        scene = draw_scene(rng, KINDS[number % len(KINDS)])
        asked = ask(rng, scene)
        stored = io.BytesIO()
        scene.image.save(stored, "PNG")
        problem = Problem(
            id=f"{seed}-{number}",
            question=asked.question,
            images=(stored.getvalue(),),
            answer=asked.answer,
            category=scene.kind,
        )
        yield problem, caption(rng, scene)

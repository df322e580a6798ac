"""The order of scenes: drawn ones teach the form of a reply, written ones the breadth of use."""

import json
import random
import re
from collections.abc import Iterator
from importlib.resources import files
from itertools import islice
from typing import Any

from experiments.recipes.reasoner.lessons import Lesson
from experiments.recipes.reasoner.scenes import Scene, scenes

_DRAWN_FIRST = 704
_REPLY = re.compile(r"(?P<reasoning>.*?)\s*\\boxed\{(?P<boxed>.+)\}", re.DOTALL)


def curriculum(seed: int) -> Iterator[Scene]:
    """Without end; the same seed gives the same scenes. After `_DRAWN_FIRST` drawn ones every
    other one is written, each written one once before any comes again.
    """
    drawn = scenes(seed)
    yield from islice(drawn, _DRAWN_FIRST)
    rng = random.Random(seed)
    written = written_scenes()
    while True:
        for scene in rng.sample(written, len(written)):
            yield scene
            yield next(drawn)


def written_scenes() -> list[Scene]:
    """`written.jsonl`: captions, questions and replies written one by one, none by a template."""
    lines = (files(__package__) / "written.jsonl").read_text(encoding="utf-8").splitlines()
    return [_scene(json.loads(line)) for line in lines]


def _scene(line: dict[str, Any]) -> Scene:
    return Scene(line["caption"], tuple(map(_lesson, line["lessons"])))


def _lesson(fields: dict[str, str]) -> Lesson:
    reply = _REPLY.fullmatch(fields["reply"])
    if reply is None:
        raise ValueError(f"a reply ends with its box: {fields['reply']!r}")
    return Lesson(fields["asks"], fields["question"], reply["reasoning"], reply["boxed"])

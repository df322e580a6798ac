"""Packed or alone, a lesson reads the same: its own tokens, in its own places."""

from itertools import islice

import pytest

from experiments.recipes.reasoner.packing import chat_prompt, pack
from experiments.recipes.reasoner.scenes import Scene, scenes


def by_letter(text: str) -> list[int]:
    return list(map(ord, text))


@pytest.fixture(params=islice(scenes(seed=9), 40), ids=lambda scene: scene.caption[:20])
def scene(request: pytest.FixtureRequest) -> Scene:
    return request.param


def test_each_lesson_sees_its_whole_prompt_and_nothing_of_the_others(scene: Scene) -> None:
    packed = pack(scene, by_letter)
    for branch, lesson in enumerate(scene.lessons, start=1):
        seen = [at for at, of in enumerate(packed.branches) if of in (0, branch)]
        text = "".join(chr(packed.tokens[at]) for at in seen)
        assert text == chat_prompt(lesson.question, scene.caption) + lesson.reply + "<|im_end|>"
        assert [packed.positions[at] for at in seen] == list(range(len(seen)))


def test_only_the_replies_are_learned(scene: Scene) -> None:
    packed = pack(scene, by_letter)
    learned = "".join(map(chr, packed.targets))
    assert learned == "".join(f"{lesson.reply}<|im_end|>" for lesson in scene.lessons)
    for at, target in zip(packed.predictors, packed.targets, strict=True):
        assert packed.tokens[at + 1] == target
        assert packed.branches[at] == packed.branches[at + 1] > 0

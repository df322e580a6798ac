"""What is taught from written scenes is true, and each of them is taught."""

import json
from importlib.resources import files
from itertools import islice

import pytest

from experiments.recipes import reasoner
from experiments.recipes.reasoner.curriculum import curriculum, written_scenes
from experiments.recipes.reasoner.scenes import scenes
from racro.contracts.prompts import NOT_TOLD

LINES = (files(reasoner) / "written.jsonl").read_text(encoding="utf-8").splitlines()
ANSWERS = [
    (lesson, expected["answer"])
    for scene, line in zip(written_scenes(), LINES, strict=True)
    for lesson, expected in zip(scene.lessons, json.loads(line)["lessons"], strict=True)
]
DRAWN_FIRST = 704


@pytest.mark.parametrize("asks", sorted({lesson.asks for lesson, _ in ANSWERS}))
def test_a_written_reply_comes_to_its_answer(asks: str) -> None:
    for lesson, answer in ANSWERS:
        if lesson.asks != asks:
            continue
        assert lesson.answer == answer, lesson
        assert not lesson.boxed.startswith("=") or lesson.answer != lesson.boxed[1:].strip(), lesson
        assert asks != "yes_no" or answer in {"yes", "no"}, lesson
        assert asks != "choice" or len(answer) == 1, lesson
        assert (asks == "unanswerable") == (answer == NOT_TOLD), lesson


def test_drawn_scenes_come_first_and_every_written_one_before_any_comes_again() -> None:
    written = written_scenes()
    order = list(islice(curriculum(3), DRAWN_FIRST + 2 * len(written)))
    drawn = list(islice(scenes(3), DRAWN_FIRST + len(written)))
    assert order[:DRAWN_FIRST] == drawn[:DRAWN_FIRST]
    assert sorted(order[DRAWN_FIRST::2], key=str) == sorted(written, key=str)
    assert order[DRAWN_FIRST + 1 :: 2] == drawn[DRAWN_FIRST:]

"""Nothing that is held out was ever trained on: not a name, a wording of a question or a line."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from experiments import embedded_accuracy
from experiments.recipes.reasoner import words
from experiments.recipes.reasoner.curriculum import written_scenes
from experiments.recipes.reasoner.scenes import scenes
from support.wordings import TELLING, as_pattern

HELD_OUT = Path(embedded_accuracy.__file__).parent / "heldout"
SCENES = 4000
NUMBER = re.compile(r"\d[\d,.:]*")
NAMES = re.compile(r"(?:\b[A-Z][\w'’-]*\b ?)+")


def held_out_lines(*names: str) -> Iterator[dict[str, str]]:
    for name in names:
        for line in (HELD_OUT / name).read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


HELD_OUT_ITEMS = list(held_out_lines("text.jsonl", "ocr_questions.jsonl"))
QUESTIONS = {item["question"] for item in HELD_OUT_ITEMS}
CAPTIONS = {item["caption"] for item in HELD_OUT_ITEMS if "caption" in item}
WRITTEN = written_scenes()
DRAWN = [scene for seed in (1, 2) for scene in islice(scenes(seed), SCENES // 2)]
TRAINED = DRAWN + WRITTEN


def without_numbers(text: str) -> str:
    return NUMBER.sub("#", " ".join(text.lower().split()))


def as_if_templated(question: str) -> str:
    """Its numbers and, but for the first word, its names are fields."""
    first, _, rest = NUMBER.sub("#", " ".join(question.split())).partition(" ")
    return f"{first} {NAMES.sub('@', rest)}".lower()


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    """Six in a row, one number among them at most."""
    words_and_numbers = re.findall(r"[a-z']+|#", without_numbers(text))
    runs = {tuple(words_and_numbers[at : at + 6]) for at in range(len(words_and_numbers) - 5)}
    return {run for run in runs if run.count("#") <= 1}


@pytest.mark.parametrize("template", TELLING)
def test_no_held_out_question_is_worded_as_a_lesson(template: str) -> None:
    pattern = as_pattern(template)
    assert [question for question in QUESTIONS if pattern.fullmatch(question)] == []


def test_no_lesson_asks_a_held_out_question() -> None:
    trained = {without_numbers(one.question) for scene in TRAINED for one in scene.lessons}
    assert trained.isdisjoint(map(without_numbers, QUESTIONS))
    assert len(trained) > SCENES


def test_no_trained_name_is_held_out() -> None:
    names = {name for *_, group in words.NAMES for name in group if not name.isdigit()}
    names |= {*words.GOODS, *words.SHOPS}
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")
    texts = QUESTIONS | CAPTIONS
    assert {found for text in texts for found in pattern.findall(text)} == set()


def test_no_invented_name_is_held_out() -> None:
    capitalised = re.compile(r"\b[A-Z][a-z]{3,}\b")
    held_out = {word for text in CAPTIONS for word in capitalised.findall(text)}
    invented = {word for name in words.invented_names(words.random.Random(1), 20_000)
                for word in name.split()}  # fmt: skip
    assert held_out & invented == set()


def test_no_line_of_a_trained_caption_is_held_out() -> None:
    def lines(caption: str) -> set[str]:
        parts = re.split(r"\n|(?<=[.;]) ", caption)
        return {without_numbers(part) for part in parts if len(part.split()) >= 4}

    trained = set().union(*(lines(scene.caption) for scene in TRAINED))
    held_out = set().union(*map(lines, CAPTIONS))
    assert trained & held_out == set()


def test_no_written_question_is_a_held_out_one_with_other_names() -> None:
    written = {as_if_templated(one.question) for scene in WRITTEN for one in scene.lessons}
    assert written.isdisjoint(map(as_if_templated, QUESTIONS))


def test_no_written_scene_has_six_words_in_a_row_of_a_held_out_text() -> None:
    held_out = set().union(*map(runs_of_words, QUESTIONS | CAPTIONS))
    for scene in WRITTEN:
        for text in (scene.caption, *(one.question for one in scene.lessons)):
            assert runs_of_words(text) & held_out == set(), text

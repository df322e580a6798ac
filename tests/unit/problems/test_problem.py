"""A problem says what is asked, and cannot be changed."""

import copy
import pickle

import pytest

from racro.problems import Problem, image_bytes

CHOICE = Problem("1", "How long?", (b"image",), "B", {"A": "12 cm", "B": "13 cm"}, "length")


def test_the_options_stand_below_the_question() -> None:
    assert CHOICE.prompt == "How long?\nOptions:\nA. 12 cm\nB. 13 cm"


def test_without_options_the_question_is_all() -> None:
    assert Problem("1", "How long?", (b"image",), "12 cm").prompt == "How long?"


@pytest.mark.parametrize(
    "question",
    [
        "How long?\nChoices:\n(A) 12 cm\n(B) 13 cm",
        "How long? A: 12 cm, B: 13 cm",
        "Q\nA.12 cm B.13 cm",
        "[A]: 12 cm [B]: 13 cm",
        "多长？A．12 cm B．13 cm",
    ],
)
def test_options_that_the_question_lists_are_not_said_twice(question) -> None:
    assert Problem("1", question, (b"image",), "B", CHOICE.options).prompt == question


def test_options_that_the_question_lists_in_part_are_said() -> None:
    problem = Problem("1", "Is it (A) 12 cm?", (b"image",), "B", CHOICE.options)
    assert problem.prompt.endswith("B. 13 cm")


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("Points A (2,3), B (4,5). Which is x?", {"A": "2", "B": "4"}),
        ("Angle A = 30, angle B = 60. Which?", {"A": "30", "B": "60"}),
        ("Which?\nA. 12 B. 35", {"A": "1", "B": "3"}),
        ("Which?\nA. 1.2 B. 3,500", {"A": "1", "B": "3"}),
    ],
)
def test_what_only_resembles_a_list_of_options_is_none(question, options) -> None:
    prompt = Problem("1", question, (b"image",), "B", options).prompt
    assert prompt.endswith(f"Options:\nA. {options['A']}\nB. {options['B']}")


def test_options_are_a_copy_that_cannot_be_changed() -> None:
    options = {"A": "yes", "B": "no"}
    problem = Problem("1", "Is it?", (b"image",), "A", options)
    options["C"] = "perhaps"
    assert dict(problem.options) == {"A": "yes", "B": "no"}
    with pytest.raises(TypeError):
        problem.options["C"] = "perhaps"


@pytest.mark.parametrize("carried", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy])
def test_it_goes_to_other_processes(carried) -> None:
    assert carried(CHOICE) == CHOICE
    assert hash(carried(CHOICE)) == hash(CHOICE)


def test_an_image_is_read_when_it_is_needed(tmp_path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(b"bytes of it")
    assert image_bytes(path) == image_bytes(b"bytes of it") == b"bytes of it"

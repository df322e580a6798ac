"""The evaluation's grader, by a table of answers that are right, wrong and neither."""

import pytest

from experiments.embedded_accuracy.grading import Share, Verdict, grade
from experiments.embedded_accuracy.items import NOT_TOLD, Question
from racro.contracts import prompts


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("71", "71"),
        ("71", "71 units"),
        ("7 cm", "7"),
        ("25%", "25 %"),
        ("25", "25%"),
        ("$1,240", "1240"),
        ("2.80", "$2.8"),
        ("-3", "−3"),
        ("0.5", ".5"),
        ("Riga Line", "riga line."),
        ("Harbour", "the Harbour"),
        ("yes", "Yes"),
        ("B", "B"),
        ("17:45", "17:45"),
        (NOT_TOLD, prompts.NOT_TOLD),
        (NOT_TOLD, "This is not mentioned in the text"),
        (NOT_TOLD, "It cannot be determined."),
    ],
)
def test_right(expected: str, answer: str) -> None:
    assert grade(Question("?", "lookup", expected), answer) == Verdict.RIGHT


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("71", "17"),
        ("71", "7.1"),
        ("71", "71 or 72"),
        ("71", ""),
        ("B", "A"),
        ("yes", "no"),
        ("Harbour", "Harbour and Airport"),
        ("17:45", "17:40"),
        (NOT_TOLD, "71"),
        (NOT_TOLD, ""),
    ],
)
def test_wrong(expected: str, answer: str) -> None:
    assert grade(Question("?", "lookup", expected), answer) == Verdict.WRONG


def test_a_refusal_where_there_is_an_answer_is_a_false_one() -> None:
    assert grade(Question("?", "lookup", "71"), prompts.NOT_TOLD) == Verdict.REFUSED


def test_the_interval_is_wilsons() -> None:
    # Newcombe 1998, table I: 81 of 263.
    assert Share(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=5e-4)
    assert Share(0, 10).interval[0] == 0
    assert Share(10, 10).interval[1] == pytest.approx(1)

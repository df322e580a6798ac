"""What the adapter is taught is true."""

import operator
import random
import re
from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from typing import get_args

import pytest

from experiments.embedded_accuracy.grading import same
from experiments.embedded_accuracy.items import QuestionClass
from experiments.recipes.reasoner import lessons
from experiments.recipes.reasoner.lessons import MEASURES, Lesson, Series
from experiments.recipes.reasoner.numbers import Amount
from experiments.recipes.reasoner.scenes import Scene, scenes
from racro.answers.formulas import worked_out
from racro.contracts.prompts import NOT_TOLD

SCENES = list(islice(scenes(seed=5), 1500))
LESSONS = [lesson for scene in SCENES for lesson in scene.lessons]
CLASSES = sorted({lesson.asks for lesson in LESSONS})
AMOUNT = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
HEIGHTS = {"Oak": 31, "Elm": 9, "Ash": 24, "Yew": 12}
TREES = Series(
    "tree",
    "trees",
    next(one for one in MEASURES if one.name == "height"),
    tuple((name, Amount(Decimal(height), suffix=" m")) for name, height in HEIGHTS.items()),
)


def test_an_amount_is_printed_with_its_unit() -> None:
    assert str(Amount(Decimal(1240), "$", grouped=True)) == "$1,240"
    assert str(Amount(Decimal("3.5"), suffix=" km").of(Decimal(7))) == "7 km"


def of_trees(ask: Callable[[random.Random, Series], Lesson | None]) -> list[Lesson]:
    asked = (ask(random.Random(seed), TREES) for seed in range(300))
    return [lesson for lesson in asked if lesson is not None]


def named(lesson: Lesson) -> list[int]:
    """The heights of the trees that the question names, in its order."""
    found = [name for name in re.findall(r"\w+", lesson.question) if name in HEIGHTS]
    return [HEIGHTS[name] for name in found]


def test_values_sums_and_differences_are_those_of_what_the_question_names() -> None:
    for lesson in of_trees(lessons.value_of):
        assert [f"{height} m" for height in named(lesson)] == [lesson.answer]
    for lesson in of_trees(lessons.sum_of):
        assert f"{sum(named(lesson))} m" == lesson.answer
    for lesson in of_trees(lessons.difference):
        one, other = named(lesson)
        assert f"{abs(one - other)} m" == lesson.answer
    assert {lesson.answer for lesson in of_trees(lessons.sum_of_all)} == {"76 m"}


def test_the_largest_is_the_largest_and_the_smallest_the_smallest() -> None:
    least = re.compile("|".join((*TREES.measure.least, "fewest")), re.IGNORECASE)
    for lesson in of_trees(lessons.extreme):
        assert lesson.answer == ("Elm" if least.search(lesson.question) else "Oak")


def test_counts_are_of_those_that_the_limit_leaves() -> None:
    assert {lesson.answer for lesson in of_trees(lessons.count)} == {"4"}
    below = re.compile(
        "less|below|under|smaller|lower|fewer|beneath|short of|not reach|fail to", re.IGNORECASE
    )
    up_to = re.compile("or less|at most|or lower|not exceed|no more")
    at_least = re.compile("or more|at least|many trees reach|or higher|no less")
    for lesson in of_trees(lessons.count_beyond):
        limit = int(AMOUNT.findall(lesson.question)[0])
        beyond = operator.gt
        if up_to.search(lesson.question):
            beyond = operator.le
        elif at_least.search(lesson.question):
            beyond = operator.ge
        elif below.search(lesson.question):
            beyond = operator.lt
        number = sum(beyond(height, limit) for height in HEIGHTS.values())
        assert lesson.answer == str(number), lesson


def test_yes_is_said_where_it_is_so() -> None:
    less = re.compile(
        "less|lower|smaller|below|shorter|under|fewer|behind|trail|short of|fail to", re.IGNORECASE
    )
    turned = re.compile("compared with|next to|against", re.IGNORECASE)
    for lesson in of_trees(lessons.more_than):
        one, other = named(lesson)
        if turned.search(lesson.question):
            one, other = other, one
        holds = one < other if less.search(lesson.question) else one > other
        assert lesson.answer == ("yes" if holds else "no"), lesson
    for lesson in of_trees(lessons.is_beyond):
        (height,), limit = named(lesson), int(AMOUNT.findall(lesson.question)[0])
        holds = height < limit if less.search(lesson.question) else height > limit
        assert lesson.answer == ("yes" if holds else "no"), lesson
    for lesson in of_trees(lessons.is_value):
        (height,) = named(lesson)
        assert lesson.answer == ("yes" if f"{height} m" in lesson.question else "no"), lesson


@pytest.mark.parametrize("asks", CLASSES)
def test_every_formula_can_be_calculated_from_what_is_told(asks: str) -> None:
    for scene in SCENES:
        for lesson in (one for one in scene.lessons if one.asks == asks):
            if not lesson.boxed.startswith("="):
                continue
            assert lesson.answer != lesson.boxed.removeprefix("= "), lesson
            told = set(AMOUNT.findall(f"{scene.caption} {lesson.question}"))
            used = set(AMOUNT.findall(lesson.boxed))
            assert used <= told | GEOMETRY, (scene.caption, lesson)


# Rules of geometry bring numbers of their own: half, twice, four sides, 90° and 180°.
GEOMETRY = {"2", "4", "90", "180"}


def test_all_classes_are_taught_and_yes_is_as_frequent_as_no() -> None:
    assert sorted(get_args(QuestionClass)) == CLASSES
    yes = [lesson.answer for lesson in LESSONS if lesson.asks == "yes_no"].count("yes")
    assert 0.4 < yes / sum(lesson.asks == "yes_no" for lesson in LESSONS) < 0.6


def told(scene: Scene, lesson: Lesson) -> bool:
    return lesson.answer.casefold() in scene.caption.casefold()


def test_what_is_looked_up_or_compared_stands_in_the_caption() -> None:
    for scene in SCENES:
        for lesson in scene.lessons:
            if lesson.asks in {"lookup", "comparison"}:
                assert told(scene, lesson), (scene.caption, lesson)


def test_what_is_not_told_is_answered_so_and_nothing_else_is() -> None:
    for lesson in LESSONS:
        assert (lesson.answer == NOT_TOLD) == (lesson.asks == "unanswerable")


def test_the_letter_of_a_choice_is_that_of_what_was_looked_up_or_calculated() -> None:
    for scene in SCENES:
        for lesson in (one for one in scene.lessons if one.asks == "choice"):
            formula, _, among = lesson.boxed.partition(" among ")
            offered = dict(option.split(" ", 1) for option in among.split("; "))
            told = formula.removeprefix("= ")
            right = told if told in offered.values() else worked_out(formula)
            assert len(offered) > 1
            asked = f"{scene.caption}\n{lesson.question}"
            assert [one for one in offered.values() if one not in asked] == [], lesson
            letters = [letter for letter, option in offered.items() if same(option, right)]
            assert letters == [lesson.answer], (lesson, right)


def test_the_same_seed_gives_the_same_scenes_and_another_one_others() -> None:
    assert list(islice(scenes(seed=5), 20)) == SCENES[:20]
    assert list(islice(scenes(seed=6), 20)) != SCENES[:20]

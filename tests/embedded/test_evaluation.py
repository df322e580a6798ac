"""The held-out drawings and the report about them.

Slow, and in an environment of its own: make test-embedded
"""

import json
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from experiments.embedded_accuracy import heldout, report
from experiments.embedded_accuracy.grading import Verdict
from experiments.embedded_accuracy.items import NOT_TOLD, Drawing, QuestionClass
from experiments.embedded_accuracy.perceiving import COMPOSER, READING_ORDER, perceive
from experiments.embedded_accuracy.report import Graded, Score, Section
from support.wordings import TELLING, as_pattern

CLASSES = set(get_args(QuestionClass))


@pytest.fixture(scope="module")
def drawings() -> list[Drawing]:
    return list(heldout.drawings())


def test_there_are_enough_of_them(drawings: list[Drawing]) -> None:
    assert len({drawing.name for drawing in drawings}) == len(drawings) >= 60
    assert sum(len(drawing.questions) for drawing in drawings) >= 150
    assert {q.asks for drawing in drawings for q in drawing.questions} == CLASSES


def test_there_are_thirty_text_questions_of_each_class() -> None:
    items = heldout.text_items()
    assert len(items) >= 200
    asked = Counter(item.question.asks for item in items)
    assert set(asked) == CLASSES
    assert min(asked.values()) >= 30
    answers = Counter(i.question.expected for i in items if i.question.asks == "yes_no")
    assert set(answers) == {"yes", "no"}
    assert abs(answers["yes"] - answers["no"]) <= 4
    assert sum(item.drawing is not None for item in items) >= len(items) / 3


def test_text_questions_about_drawings_name_drawings_that_there_are(
    drawings: list[Drawing],
) -> None:
    names = {drawing.name for drawing in drawings}
    assert {item.drawing for item in heldout.text_items() if item.drawing} <= names


def test_they_are_drawn_the_same_every_time(drawings: list[Drawing]) -> None:
    for one, other in zip(drawings, heldout.drawings(), strict=True):
        assert one.image.tobytes() == other.image.tobytes()
        assert (one.pairs, one.questions) == (other.pairs, other.questions)


def test_no_question_about_them_is_worded_as_a_lesson(drawings: list[Drawing]) -> None:
    patterns = [as_pattern(template) for template in TELLING]
    questions = [question.text for drawing in drawings for question in drawing.questions]
    assert [q for q in questions if any(pattern.fullmatch(q) for pattern in patterns)] == []


def test_what_is_not_told_is_asked_as_such(drawings: list[Drawing]) -> None:
    for drawing in drawings:
        for question in drawing.questions:
            assert (question.expected == NOT_TOLD) == (question.asks == "unanswerable")


def test_the_composer_tells_what_reading_order_loses(drawings: list[Drawing]) -> None:
    """A bar chart of the held-out set through the real OCR."""
    bars = [drawing for drawing in drawings if drawing.name == "heldout-bar-01"]
    [seen] = perceive(bars)
    told = seen.pairs_told(COMPOSER)
    assert told > seen.pairs_told(READING_ORDER)
    assert told >= 0.8 * len(seen.drawing.pairs)


def test_a_report_is_text_json_and_a_picture(tmp_path: Path) -> None:
    before = Score.of([Graded("lookup", Verdict.WRONG), Graded("choice", Verdict.RIGHT)])
    after = Score.of([Graded("lookup", Verdict.RIGHT), Graded("choice", Verdict.REFUSED)])
    sections = [Section(title, {"before": before, "after": after}) for title in ("One", "Two")]
    text = report.write(tmp_path, sections, {"cores": 2})
    assert "| lookup | 1 | 0% (0%–79%) | 100% (21%–100%) | 0% | 0% |" in text
    assert "| overall | 2 | 50% (9%–91%) | 50% (9%–91%) | 0% | 50% |" in text
    assert json.loads((tmp_path / "report.json").read_text())["facts"] == {"cores": 2}
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == text
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")

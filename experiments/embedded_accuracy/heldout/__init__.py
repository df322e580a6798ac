"""Held-out evaluation data: drawings and text questions that no training or tuning has seen."""

import json
from collections.abc import Iterator
from pathlib import Path

from experiments.embedded_accuracy.heldout.charts import charts
from experiments.embedded_accuracy.heldout.figures import figures
from experiments.embedded_accuracy.heldout.notes import notes
from experiments.embedded_accuracy.heldout.receipts import receipts
from experiments.embedded_accuracy.heldout.tables import tables
from experiments.embedded_accuracy.items import Drawing, Question, TextItem

HERE = Path(__file__).parent


def drawings() -> Iterator[Drawing]:
    yield from charts()
    yield from tables()
    yield from receipts()
    yield from figures()
    yield from notes()


def text_items() -> list[TextItem]:
    """Questions about written captions, and about the captions that drawings will get."""
    lines = [
        line
        for name in ("text.jsonl", "ocr_questions.jsonl")
        for line in (HERE / name).read_text(encoding="utf-8").splitlines()
    ]
    return [_text_item(json.loads(line)) for line in lines]


def _text_item(item: dict[str, str]) -> TextItem:
    return TextItem(
        question=Question(item["question"], item["asks"], item["expected"]),  # type: ignore[arg-type]
        caption=item.get("caption"),
        drawing=item.get("drawing"),
    )

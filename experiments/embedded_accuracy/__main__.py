"""Scores the embedded default on the held-out questions and drawings.

Run: make eval-embedded
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from experiments.embedded_accuracy import heldout, report
from experiments.embedded_accuracy.grading import Verdict, grade
from experiments.embedded_accuracy.items import Drawing, TextItem
from experiments.embedded_accuracy.perceiving import COMPOSER, READING_ORDER, Perceived, perceive
from experiments.embedded_accuracy.reasoning import ADAPTED, BASE, AnswerCache, Asked, Variant
from experiments.embedded_accuracy.report import Graded, Score, Section
from experiments.embedded_accuracy.solving import solve_all, timing
from racro.answers.extract import solve_answer

OUTPUTS = Path("outputs/embedded")
_DEFAULT = "adapter + composer"


class Evaluation:
    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder = folder
        self._answers = AnswerCache(folder / "answers.jsonl")
        self._progress = progress

    def run(self) -> str:
        drawings = list(heldout.drawings())
        seen = self._perceive(drawings)
        text = self._text(heldout.text_items(), seen)
        pairs = _pairs(seen)
        solved, facts = self._end_to_end(drawings, seen)
        return report.write(self._folder, [text, pairs, solved], {**report.machine(), **facts})

    def _perceive(self, drawings: Sequence[Drawing]) -> list[Perceived]:
        task = self._progress.add_task("reading the drawings", total=len(drawings))
        seen = []
        for perceived in perceive(drawings):
            seen.append(perceived)
            self._progress.advance(task)
        return seen

    def _text(self, items: Sequence[TextItem], seen: Sequence[Perceived]) -> Section:
        captions = {one.drawing.name: one.captions[COMPOSER] for one in seen}
        asked = [
            Asked(item.question, item.caption or captions[str(item.drawing)]) for item in items
        ]
        return Section(
            "Questions about captions",
            {one.name: self._score(f"text, {one.name}", one, asked) for one in (BASE, ADAPTED)},
        )

    def _score(self, title: str, variant: Variant, asked: Sequence[Asked]) -> Score:
        task = self._progress.add_task(title, total=len(asked))
        texts = self._answers.ask(variant, asked, lambda count: self._progress.advance(task, count))
        return Score.of(
            Graded(one.question.asks, grade(one.question, solve_answer(variant.profile, text)))
            for one, text in zip(asked, texts, strict=True)
        )

    def _end_to_end(
        self, drawings: Sequence[Drawing], seen: Sequence[Perceived]
    ) -> tuple[Section, dict[str, float]]:
        scores = {}
        for variant, composer in ((BASE, READING_ORDER), (ADAPTED, READING_ORDER)):
            asked = [
                Asked(question, one.captions[composer])
                for one in seen
                for question in one.drawing.questions
            ]
            name = f"{variant.name.removeprefix('with ')} + {composer}"
            scores[name] = self._score(f"drawings, {name}", variant, asked)
        questions = sum(len(drawing.questions) for drawing in drawings)
        task = self._progress.add_task(f"drawings, {_DEFAULT}", total=questions)
        solved = solve_all(drawings, lambda: self._progress.advance(task))
        scores[_DEFAULT] = Score.of(
            Graded(one.question.asks, grade(one.question, one.answer)) for one in solved
        )
        return Section("Questions about drawings, end to end", scores), timing(solved)


def _pairs(seen: Sequence[Perceived]) -> Section:
    def graded(one: Perceived, composer: str) -> list[Graded]:
        told = one.pairs_told(composer)
        missed = len(one.drawing.pairs) - told
        kind = one.drawing.kind
        return [Graded(kind, Verdict.RIGHT)] * told + [Graded(kind, Verdict.WRONG)] * missed

    return Section(
        "Label-value pairs told by the caption",
        {
            composer: Score.of(pair for one in seen for pair in graded(one, composer))
            for composer in (READING_ORDER, COMPOSER)
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.embedded_accuracy", description=__doc__
    )
    parser.add_argument("--output", type=Path, default=OUTPUTS, help="folder of the report")
    folder = parser.parse_args().output
    console = Console()
    with Progress(console=console) as progress:
        text = Evaluation(folder, progress).run()
    console.print(text, markup=False, highlight=False)
    console.print(f"written: {folder}/report.md, report.json, report.png")


if __name__ == "__main__":
    main()

"""The demo: the whole embedded default over the example images."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from racro.cli.client import SolveError, image_argument, solve_events

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

_CAPTION_CHARS = 44


@dataclass(frozen=True)
class Example:
    image: str
    question: str
    expected: str


@dataclass(frozen=True)
class Outcome:
    example: Example
    response: dict[str, Any] | None
    error: str = ""


def load_examples(folder: Path) -> list[Example]:
    lines = (folder / "questions.jsonl").read_text().splitlines()
    return [Example(**json.loads(line)) for line in lines]


def run_examples(gateway: str, folder: Path, console: Console) -> list[Outcome]:
    examples = load_examples(folder)
    return [
        _solve(gateway, folder, example)
        for example in track(examples, "solving", console=console, transient=True)
    ]


def _solve(gateway: str, folder: Path, example: Example) -> Outcome:
    try:
        request = {
            "question": example.question,
            "images": [image_argument(str(folder / example.image))],
        }
        *_, (_, response) = solve_events(gateway, request)
    except SolveError as error:
        return Outcome(example, None, str(error))
    return Outcome(example, response)


def table_of(outcomes: list[Outcome]) -> Table:
    table = Table(title="image + question → caption → answer", title_justify="left")
    table.add_column("image", no_wrap=True)
    for heading in ("question", "caption in short", "answer", "expected"):
        table.add_column(heading, overflow="fold")
    table.add_column("perceive\nms", justify="right")
    table.add_column("reason\nms", justify="right")
    for outcome in outcomes:
        table.add_row(*_row(outcome))
    return table


def _row(outcome: Outcome) -> tuple[str, ...]:
    example, response = outcome.example, outcome.response
    image = Path(example.image).stem
    if response is None:
        return (image, example.question, "", f"failed: {outcome.error}", example.expected)
    caption = " ".join(response["visual_context"]["caption"].split())
    caption = caption.replace("Text in the image, row by row: ", "")
    timing = response["timing_ms"]
    return (
        image,
        example.question,
        caption[:_CAPTION_CHARS] + "…" * (len(caption) > _CAPTION_CHARS),
        response["answer"],
        example.expected,
        f"{timing['perceive']:.0f}",
        f"{timing['reason']:.0f}",
    )


def answered(outcomes: list[Outcome]) -> bool:
    """Every stage ran for every example: a caption was made, and the reasoner said something."""
    return all(
        outcome.response is not None
        and outcome.response["visual_context"]["caption"]
        and outcome.response["text"]
        for outcome in outcomes
    )


def right_answers(outcomes: list[Outcome]) -> int:
    return sum(
        outcome.response is not None and outcome.response["answer"] == outcome.example.expected
        for outcome in outcomes
    )

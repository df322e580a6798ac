"""`racro demo`: the whole embedded default over the example images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track
from rich.table import Table

from racro.cli.examples import EXAMPLES, BadExamplesError, Example, load_examples
from racro.cli.output import add_row, command_line, fail, is_live, new_table, note, out, say, show
from racro.cli.running import running
from racro.cli.solve_client import Gateway, SolveError, image_argument
from racro.cli.stack import Ports, StackError, embedded_default

app = command_line()

_CAPTION_CHARS = 44


@dataclass(frozen=True)
class Outcome:
    example: Example
    response: dict[str, Any] | None
    error: str = ""


@app.command()
def demo(
    examples: Annotated[
        Path,
        typer.Option(help="Folder with images and questions.jsonl.", exists=True, file_okay=False),
    ] = EXAMPLES,
) -> None:
    """Start everything, answer the example questions, end everything."""
    try:
        questions = load_examples(examples)
        with running("demo", embedded_default(Ports.free())) as stack:
            outcomes = _solved(Gateway(stack.url), examples, questions)
    except (BadExamplesError, StackError) as error:
        fail(error)
    show(_table(outcomes))
    say(
        f"{_right_answers(outcomes)} of {len(outcomes)} as expected. The embedded default shows "
        "the flow on a bare CPU; it is no measure of what real models do."
    )
    if not _answered(outcomes):
        fail("not every stage ran for every example")


def _solved(gateway: Gateway, folder: Path, examples: Sequence[Example]) -> list[Outcome]:
    return [_outcome(gateway, folder, example) for example in _shown(examples)]


def _shown(examples: Sequence[Example]) -> Iterable[Example]:
    """The examples, and how far they are: a bar on a terminal, elsewhere a line on stderr."""
    if is_live():
        return track(examples, "solving", console=out, transient=True)
    note(f"solving {len(examples)} examples …")
    return examples


def _outcome(gateway: Gateway, folder: Path, example: Example) -> Outcome:
    try:
        request = {
            "question": example.question,
            "images": [image_argument(str(folder / example.image))],
        }
        *_, (_, response) = gateway.solve_events(request)
    except SolveError as error:
        return Outcome(example, None, str(error))
    return Outcome(example, response)


def _table(outcomes: list[Outcome]) -> Table:
    table = new_table(
        *("image", "question", "caption in short", "answer", "expected"),
        *("perceive\nms", "reason\nms"),
        title="image + question → caption → answer",
    )
    for column in table.columns[-2:]:
        column.justify = "right"
    for outcome in outcomes:
        add_row(table, *_row(outcome))
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


def _answered(outcomes: list[Outcome]) -> bool:
    """Every stage ran for every example: a caption was made, and the reasoner said something."""
    return all(
        outcome.response is not None
        and outcome.response["visual_context"]["caption"]
        and outcome.response["text"]
        for outcome in outcomes
    )


def _right_answers(outcomes: list[Outcome]) -> int:
    return sum(
        outcome.response is not None and outcome.response["answer"] == outcome.example.expected
        for outcome in outcomes
    )

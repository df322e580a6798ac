"""`racro eval`: benchmarks against a running gateway.

What evaluates is imported where it is used: numpy and the graders cost a second.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from racro.cli import INTERRUPTED
from racro.cli.extras import require
from racro.cli.options import GatewayKey, GatewayUrl
from racro.cli.output import add_row, command_line, err, fail, new_table, note, plain, say, show
from racro.contracts.client import DEFAULT_URL
from racro.evaluation.failures import EvaluationError
from racro.evaluation.results import Condition, Result

if TYPE_CHECKING:
    from racro.evaluation.report import Report
    from racro.evaluation.runner import Plan, RunObserver

app = command_line("Measure a running gateway on a benchmark.")

_LISTED = 20

Folder = Annotated[Path, typer.Argument(help="What `racro eval run` wrote.")]
Of = Annotated[Condition, typer.Option(help="Which answers.")]


@app.command()
def run(  # noqa: PLR0917 - an option each
    data: Annotated[
        Path,
        typer.Argument(
            help="VLMEvalKit's TSV or our JSONL; with --benchmark also the folder it is in.",
            exists=True,
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder of this run, new or to go on with.")],
    gateway: GatewayUrl = DEFAULT_URL,
    model: Annotated[str, typer.Option(help="The reasoner's name.")] = "default",
    concurrency: Annotated[int, typer.Option(min=1, help="Items at a time.")] = 8,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N problems.")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one answer.")] = 600,
    benchmark: Annotated[
        str | None, typer.Option(help="Put the paper's figures beside ours, e.g. MathVista_MINI.")
    ] = None,
    label_captioner: Annotated[str | None, typer.Option(help="Its name in a matrix.")] = None,
    label_reasoner: Annotated[str | None, typer.Option(help="Its name in a matrix.")] = None,
    key: GatewayKey = None,
) -> None:
    """Ask every problem, grade the answers; stopped, the same command goes on."""
    with _failures_told():
        from racro.evaluation import benchmarks  # noqa: PLC0415
        from racro.evaluation.runner import Plan  # noqa: PLC0415

        paper = None if benchmark is None else benchmarks.named(benchmark)
        plan = Plan(
            data=data if paper is None else benchmarks.file_of(paper, data),
            gateway=gateway,
            model=model,
            output=output,
            key=key,
            concurrency=concurrency,
            timeout_s=timeout,
            limit=limit,
            benchmark=None if paper is None else paper.file,
            label_captioner=label_captioner,
            label_reasoner=label_reasoner,
        )
        some_failed = _run(plan)
    if some_failed:
        fail("the same command tries these again")


def _run(plan: "Plan") -> bool:
    """Runs, and tells what came of it however that ends; gives back whether items failed."""
    from racro.evaluation.runner import RunObserver, run  # noqa: PLC0415

    observer = RunObserver()
    try:
        with ExitStack() as at_the_end:
            at_the_end.callback(_tell, observer, plan.output)
            bar = at_the_end.enter_context(_Bar())
            observer.starts, observer.done = bar.starts, bar.done
            asyncio.run(run(plan, observer))
    except KeyboardInterrupt:
        note("stopped; the same command goes on")
        raise typer.Exit(INTERRUPTED) from None
    return bool(observer.failed)


@app.command()
def compare(a: Folder, b: Folder, of: Of = "joint") -> None:
    """Is A right more often than B, on the items that both have?"""
    with _failures_told():
        from racro.evaluation.comparison import compare_folders  # noqa: PLC0415
        from racro.evaluation.scores import percent  # noqa: PLC0415

        found = compare_folders(a, b, of)
    table = new_table("", "%, 95% interval", title=f"{of}, {found.a.n} items")
    add_row(table, f"A  {a}", percent(found.a))
    add_row(table, f"B  {b}", percent(found.b))
    add_row(table, "A - B", percent(found.difference))
    show(table)
    say(
        f"right in A alone {found.gained}, in B alone {found.lost}; "
        f"McNemar's exact test p = {found.p_value:.3g}\n"
        f"items that only A has {found.only_a}, only B {found.only_b}"
    )


@app.command()
def matrix(
    folders: Annotated[list[Path], typer.Argument(help="What `racro eval run` wrote.")],
    output: Annotated[Path, typer.Option(help="Folder for matrix.md, .json and pictures.")],
    of: Of = "joint",
) -> None:
    """Captioners by reasoners, a matrix for each set of problems."""
    with _failures_told():
        from racro.evaluation.matrix import write_matrices  # noqa: PLC0415

        for one in write_matrices(folders, output, of):
            say(one.markdown())


class _Bar(Progress):
    """How far the run is, and how right so far."""

    def __init__(self) -> None:
        super().__init__(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("joint {task.fields[right]}"),
            console=err,
            disable=not err.is_terminal,
        )
        self._right = 0

    def starts(self, total: int, before: Iterable[Result]) -> None:
        self._task = self.add_task("", total=total, right="–")
        for result in before:
            self.done(result)

    def done(self, result: Result) -> None:
        self._right += result.joint.right
        task = self.tasks[self._task]
        share = self._right / (task.completed + 1)
        self.update(self._task, advance=1, right=f"{share:.1%} right")


def _tell(observer: "RunObserver", folder: Path) -> None:
    if observer.report is not None:
        _show(observer.report, folder)
    if observer.failed:
        _list("got no answer", observer.failed.items())


def _show(report: "Report", folder: Path) -> None:
    title = f"{plain(report.run.data)}, % right (95% interval)"
    table = new_table("", "n", *report.headings, title=title)
    for row in report.rows():
        add_row(table, *row)
    show(table)
    if report.run.left_out:
        _list("left out", report.run.left_out)
    say(f"{folder / 'report.md'} has it all")


def _list(what: str, items: Iterable[tuple[str, object]]) -> None:
    """The first of them, a line each."""
    pairs = list(items)
    lines = [f"{len(pairs)} {what}:", *(f"  {name}: {reason}" for name, reason in pairs[:_LISTED])]
    if len(pairs) > _LISTED:
        lines.append(f"  and {len(pairs) - _LISTED} more")
    note("\n".join(lines))


@contextmanager
def _failures_told() -> Iterator[None]:
    require("eval", "eval", "math_verify", "pebble", "matplotlib")
    try:
        yield
    except EvaluationError as error:
        fail(error)

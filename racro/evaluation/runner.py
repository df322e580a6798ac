"""The run: every item that has no result yet, several at a time, each stored when it is done."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import msgspec

from racro.base.digests import file_digest
from racro.evaluation.failures import EvaluationError, ItemError, UnansweredError
from racro.evaluation.gateway_client import Gateway
from racro.evaluation.item import Evaluator
from racro.evaluation.report import Report, write_report
from racro.evaluation.results import Result, Run, RunFolder, refuse_another_run
from racro.grading import Grader, Ungradable
from racro.problems import LeftOut, Problem, read_problems

# So many items in a row that fail of one cause, and the run stops: no other will do better.
_HOPELESS = 20


@dataclass(frozen=True)
class Plan:
    """What is asked of whom. `timeout_s` is for one solve; labels stand in a matrix."""

    data: Path
    gateway: str
    model: str
    output: Path
    key: str | None = None
    concurrency: int = 8
    timeout_s: float = 600
    limit: int | None = None
    benchmark: str | None = None
    label_captioner: str | None = None
    label_reasoner: str | None = None


@dataclass
class RunObserver:
    """What follows a run: it is told how many items there are and what is done, keeps why items
    failed and, however the run ends, what is known by then.
    """

    starts: Callable[[int, Iterable[Result]], None] = lambda _, __: None
    done: Callable[[Result], None] = lambda _: None
    failed: dict[str, ItemError] = field(default_factory=dict)
    report: Report | None = None


async def run(plan: Plan, observer: RunObserver) -> None:
    """Evaluates what `plan.output` has no result for. Raises EvaluationError."""
    async with Gateway(
        plan.gateway, key=plan.key, concurrency=plan.concurrency, timeout_s=plan.timeout_s
    ) as gateway:
        await gateway.check(plan.model)
        described = _described(plan)
        refuse_another_run(plan.output, described)  # before the time that reading takes
        problems, left_out = _read(plan)
        async with Grader() as grader:
            problems, ungradable = await _gradable(problems, grader)
            asked = msgspec.structs.replace(
                described, problems=len(problems), left_out=(*left_out, *ungradable)
            )
            evaluate_one = Evaluator(gateway, grader, model=plan.model)
            with RunFolder.opened(plan.output, asked) as folder, _reported(folder, observer):
                waiting = [problem for problem in problems if problem.id not in folder.results]
                done = [one.id for one in problems if one.id in folder.results]
                observer.starts(len(problems), map(folder.results.__getitem__, done))
                await evaluate(
                    waiting, evaluate_one, folder, observer, concurrency=plan.concurrency
                )


@contextmanager
def _reported(folder: RunFolder, observer: RunObserver) -> Iterator[None]:
    try:
        yield
    finally:
        folder.note_failed({item: error.code for item, error in observer.failed.items()})
        observer.report = write_report(folder.path)


async def evaluate(
    problems: Iterable[Problem],
    evaluate_one: Callable[[Problem], Awaitable[Result]],
    folder: RunFolder,
    observer: RunObserver,
    *,
    concurrency: int,
) -> None:
    """Stores a result each, or tells `observer` why there is none. Raises EvaluationError."""
    waiting = iter(problems)
    try:
        async with asyncio.TaskGroup() as group:
            in_vain = _Streak()
            for _ in range(concurrency):
                group.create_task(_work(waiting, evaluate_one, folder, observer, in_vain))
    except ExceptionGroup as errors:
        ours, others = errors.split(EvaluationError)
        if ours is None or others is not None:
            raise
        raise ours.exceptions[0] from None


async def _work(
    waiting: Iterator[Problem],
    evaluate_one: Callable[[Problem], Awaitable[Result]],
    folder: RunFolder,
    observer: RunObserver,
    in_vain: "_Streak",
) -> None:
    for problem in waiting:
        try:
            result = await evaluate_one(problem)
        except ItemError as error:
            observer.failed[problem.id] = error
            in_vain.count(error)
        else:
            folder.add(result)
            observer.done(result)
            in_vain.length = 0


@dataclass
class _Streak:
    """Of items that failed of one cause: nobody served them, or the words were the same. Refused in
    words of its own, an item tells nothing of the next.
    """

    length: int = 0
    words: str = ""

    def count(self, error: ItemError) -> None:
        alike = isinstance(error, UnansweredError) or str(error) == self.words
        self.length = self.length + 1 if alike else 1
        self.words = str(error)
        if self.length == _HOPELESS:
            raise EvaluationError(f"{_HOPELESS} items in a row failed: {error}")


def _read(plan: Plan) -> tuple[list[Problem], list[LeftOut]]:
    """Raises EvaluationError, also where nothing is to be asked."""
    try:
        reading = read_problems(plan.data, limit=plan.limit)
    except (OSError, ValueError) as error:
        raise EvaluationError(str(error)) from error
    if not reading.problems:
        reasons = "".join(f"\n  {row}: {reason}" for row, reason in reading.left_out[:5])
        raise EvaluationError(f"{plan.data} holds no problem{reasons}")
    return reading.problems, reading.left_out


async def _gradable(
    problems: Sequence[Problem], grader: Grader
) -> tuple[list[Problem], list[LeftOut]]:
    """Those whose expected answer can be compared: here with itself, before anybody is asked."""

    async def refusal(problem: Problem) -> str | None:
        try:
            await grader.is_right(problem.answer, problem.answer, problem.options)
        except Ungradable as error:
            return str(error)
        return None

    refusals = await asyncio.gather(*map(refusal, problems))
    pairs = list(zip(problems, refusals, strict=True))
    return (
        [problem for problem, reason in pairs if reason is None],
        [LeftOut(problem.id, reason) for problem, reason in pairs if reason is not None],
    )


def _described(plan: Plan) -> Run:
    """Its problems are not known yet. Raises EvaluationError."""
    try:
        sha256 = file_digest(plan.data).hex()
    except OSError as error:
        raise EvaluationError(f"{plan.data} cannot be read: {error.strerror}") from error
    return Run(
        data=plan.data.name,
        sha256=sha256,
        gateway=plan.gateway,
        model=plan.model,
        problems=0,
        left_out=(),
        racro=version("racro"),
        benchmark=plan.benchmark,
        label_captioner=plan.label_captioner,
        label_reasoner=plan.label_reasoner,
    )

"""What a run does about items that fail."""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from racro.evaluation.failures import EvaluationError, ItemError, UnansweredError
from racro.evaluation.results import Result, RunFolder, read_folder
from racro.evaluation.runner import RunObserver, evaluate
from racro.problems import Problem
from support.evaluated import result, run_of

IN_A_ROW = 20

EvaluateOne = Callable[[Problem], Awaitable[Result]]


def refused(words: str) -> ItemError:
    return ItemError(words, code="invalid_request")


def failing(failures: dict[int, ItemError]) -> EvaluateOne:
    async def evaluate_one(problem: Problem) -> Result:
        if failure := failures.get(int(problem.id)):
            raise failure
        return result(problem.id)

    return evaluate_one


async def evaluated(
    folder: Path, failures: dict[int, ItemError], *, items: Iterable[int] = range(50)
) -> RunObserver:
    observer = RunObserver()
    problems = [Problem(str(item), "How high?", (b"image",), "5") for item in items]
    with RunFolder.opened(folder, run_of()) as opened:
        await evaluate(problems, failing(failures), opened, observer, concurrency=1)
    return observer


@pytest.mark.parametrize(
    "failure",
    [
        lambda item: UnansweredError(f"the reasoner is away, for {item} s", code="status 503"),
        lambda _: refused("timeout_s = 900; limits.max_timeout_s = 600"),
        lambda _: ItemError("the second answer is of another caption", code="another_caption"),
    ],
)
async def test_a_system_that_is_broken_is_not_asked_for_ever(tmp_path, failure) -> None:
    failures = {item: failure(item) for item in range(10, 50)}
    with pytest.raises(EvaluationError, match=f"20 items in a row failed: {failures[29]}"):
        await evaluated(tmp_path, failures)
    assert list(read_folder(tmp_path)[1]) == [str(item) for item in range(10)]


async def test_items_that_are_refused_for_what_they_are_do_not_stop_a_run(tmp_path) -> None:
    """Waiting again, they may all come first."""
    failures = {item: refused(f"{item} tokens are too many") for item in range(40)}
    observer = await evaluated(tmp_path, failures)
    assert len(observer.failed) == 40
    assert len(read_folder(tmp_path)[1]) == 10


async def test_an_answer_among_them_says_that_the_system_works(tmp_path) -> None:
    away = UnansweredError("the reasoner is away", code="status 503")
    failures = {item: away for item in range(50) if item % IN_A_ROW}
    observer = await evaluated(tmp_path, failures)
    assert len(observer.failed) == len(failures)

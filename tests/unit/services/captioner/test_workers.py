"""Work on images in worker processes: bounded, stopped, replaced."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from racro.contracts.errors import InvalidImage, QueueFull, TooLarge
from services.captioner.settings import WorkersSection
from services.captioner.workers import Workers, default_count
from support.worker_jobs import (
    MIB,
    allocate,
    die,
    environment,
    keep,
    pid,
    refuse,
    short_sleep,
    spin,
    wait_for,
)


@pytest.fixture
async def workers() -> AsyncIterator[Callable[..., Workers]]:
    """What makes workers as some settings say. Their processes end with the test."""
    made = []

    def make(warm_up: Callable[[], object] = pid, **settings: float) -> Workers:
        made.append(Workers(WorkersSection.model_validate(settings), warm_up))
        return made[-1]

    yield make
    for one in made:
        await one.stop()
    while started_here():
        await asyncio.sleep(0.01)


def started_here() -> list[psutil.Process]:
    """Return the workers of this process that are there or are starting."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # one that has just ended
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def appears(path: Path) -> int:
    while not text_of(path):
        await asyncio.sleep(0.01)
    return int(text_of(path))


async def ends(pid: int) -> None:
    while psutil.pid_exists(pid):
        await asyncio.sleep(0.01)


async def run(taken_on_by: Workers, work: Callable[..., Any], *args: Any, **field: str) -> Any:
    with taken_on_by.admit() as admission:
        return await admission.run(work, *args, **field)


async def test_a_worker_is_used_again(workers) -> None:
    one = workers(count=1)
    assert await run(one, pid) == await run(one, pid) != os.getpid()
    assert await run(one, environment) == ("1", True)


async def test_errors_of_the_work_are_those_of_the_caller(workers) -> None:
    with pytest.raises(TooLarge, match="so large") as refused:
        await run(workers(count=1), refuse)
    assert refused.value.param == "images[3]"


async def test_memory_is_bounded(workers) -> None:
    one = workers(count=1, memory_bytes=400 * MIB)
    first = await run(one, pid)
    assert await run(one, allocate, 300) == 300 * MIB
    with pytest.raises(TooLarge, match=r"workers\.memory_bytes = 419430400") as refused:
        await run(one, allocate, 500, param="images[0]")
    assert refused.value.param == "images[0]"
    assert await run(one, allocate, 300) == 300 * MIB
    # What the first one had of its memory, nobody can tell.
    assert await run(one, pid) != first


async def test_time_is_bounded(workers, tmp_path) -> None:
    one = workers(count=1, timeout_s=2)
    await run(one, pid)
    with pytest.raises(TooLarge, match=r"workers\.timeout_s = 2") as refused:
        await run(one, spin, str(tmp_path / "started"), param="images[1]")
    assert refused.value.param == "images[1]"
    await ends(await appears(tmp_path / "started"))
    assert await run(one, pid)


async def test_who_leaves_ends_the_work(workers, tmp_path) -> None:
    one = workers(count=1)
    task = asyncio.create_task(run(one, spin, str(tmp_path / "started")))
    spinning = await appears(tmp_path / "started")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ends(spinning)
    assert await run(one, pid) != spinning


async def test_work_whose_worker_dies_is_done_once_more(workers, tmp_path) -> None:
    one = workers(count=1)
    assert await run(one, die, str(tmp_path / "died"))
    assert await run(one, die, str(tmp_path / "died, not the first of its worker"))
    with pytest.raises(InvalidImage, match="processes died of it") as refused:
        await run(one, die, param="images[0]")
    assert refused.value.param == "images[0]"


async def test_idle_workers_that_were_killed_cost_nobody_anything(workers, tmp_path) -> None:
    three = workers(count=3)
    waiting = [asyncio.create_task(run(three, wait_for, str(tmp_path / "go"))) for _ in range(3)]
    while three.busy < 3:
        await asyncio.sleep(0.01)
    (tmp_path / "go").touch()
    killed = await asyncio.gather(*waiting)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    for _ in range(3):
        assert await run(three, pid) not in killed


async def test_memory_that_a_worker_keeps_is_not_the_next_images(workers) -> None:
    one = workers(count=1, memory_bytes=400 * MIB)
    first = await run(one, keep, 200)
    assert await run(one, allocate, 300) == 300 * MIB
    assert await run(one, pid) != first


async def test_others_go_on_while_one_is_stopped(workers, tmp_path) -> None:
    two = workers(count=2)
    waits = asyncio.create_task(run(two, wait_for, str(tmp_path / "go")))
    for name in ("first", "second", "third"):
        spins = asyncio.create_task(run(two, spin, str(tmp_path / name)))
        await appears(tmp_path / name)
        spins.cancel()
    (tmp_path / "go").touch()
    assert await waits


async def test_a_full_queue_takes_nobody_on(workers, tmp_path) -> None:
    one = workers(count=1, max_waiting=2)
    assert one.problem() is None
    running = [asyncio.create_task(run(one, wait_for, str(tmp_path / "go"))) for _ in range(3)]
    while one.waiting < 2:
        await asyncio.sleep(0.01)
    problem = one.problem()
    assert problem is not None
    assert "2 requests wait for 1 workers" in problem.public
    with (
        pytest.raises(QueueFull, match=r"workers\.max_waiting = 2; ask again later") as refused,
        one.admit(),
    ):
        pass
    assert (refused.value.status, refused.value.retry_after_s) == (503, 1)
    (tmp_path / "go").touch()
    await asyncio.gather(*running)
    assert await run(one, pid)


async def test_who_comes_at_once_is_counted_at_once(workers, tmp_path) -> None:
    """Also before any of them has an image at work."""
    two = workers(count=2, max_waiting=3)
    asked = [run(two, wait_for, str(tmp_path / "go")) for _ in range(20)]
    answers = asyncio.gather(*asked, return_exceptions=True)
    await asyncio.sleep(0)
    (tmp_path / "go").touch()
    assert [isinstance(answer, QueueFull) for answer in await answers] == [False] * 5 + [True] * 15
    assert (two.waiting, two.busy) == (0, 0)


async def test_who_has_no_image_at_work_waits_no_more_when_it_leaves(workers) -> None:
    one = workers(count=1, max_waiting=1)
    for _ in range(5):
        with suppress(KeyError), one.admit():
            raise KeyError
    assert await run(one, pid)


async def test_a_worker_starts_whoever_leaves_meanwhile(workers) -> None:
    one = workers(warm_up=short_sleep, count=1)
    left = 0
    while True:
        try:
            async with asyncio.timeout(0.05):
                assert await run(one, pid)
        except TimeoutError:
            left += 1
        else:
            break
    assert left
    assert len(started_here()) == 1


async def test_starting_is_not_the_images_time(workers) -> None:
    one = workers(warm_up=short_sleep, count=1, timeout_s=0.4)
    assert await run(one, pid)


async def test_what_fails_to_start_says_why(workers) -> None:
    with pytest.raises(TooLarge, match="so large"):
        await run(workers(warm_up=refuse, count=1), pid)


async def test_a_dead_workers_number_is_nobodys(workers) -> None:
    """Its process is gone, and the number may be another's."""
    one = workers(count=1)
    killed = await run(one, pid)
    os.kill(killed, signal.SIGKILL)
    await ends(killed)
    await one.stop()


async def test_stopped_workers_end(workers) -> None:
    one = workers(count=1)
    worker = await run(one, pid)
    await one.stop()
    assert not psutil.pid_exists(worker)


async def test_who_leaves_while_a_worker_starts_leaves_no_process_behind(workers) -> None:
    one = workers(count=1)
    for tries in range(10):
        task = asyncio.create_task(run(one, pid))
        await asyncio.sleep(0.01 * tries)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    while len(started_here()) > 1:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("mib", "cores", "expected"),
    [(512, 2, 1), (1900, 2, 1), (2048, 2, 2), (2048, 64, 2), (10_000, 4, 4), (10_000, 64, 13)],
)
def test_there_are_as_many_as_cores_and_memory_allow(mib, cores, expected) -> None:
    assert default_count(700 * MIB, usable_bytes=mib * MIB, cores=cores) == expected

"""Work on images in worker processes: bounded, stopped, replaced."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from racro.contracts.errors import InvalidImage, QueueFull, TooLarge
from services.captioner.settings import WorkersSection
from services.captioner.workers import Workers, default_count
from support.worker_jobs import MIB, allocate, die, environment, keep, pid, refuse, spin, wait_for


@pytest.fixture
async def workers() -> AsyncIterator[Callable[..., Workers]]:
    """What makes workers as some settings say. Their processes end with the test."""
    made = []

    def make(**settings: float) -> Workers:
        made.append(Workers(WorkersSection.model_validate(settings)))
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


async def test_a_worker_is_used_again(workers) -> None:
    one = workers(count=1)
    assert await one.run(pid) == await one.run(pid) != os.getpid()
    assert await one.run(environment) == ("1", True)


async def test_errors_of_the_work_are_those_of_the_caller(workers) -> None:
    with pytest.raises(TooLarge, match="so large") as refused:
        await workers(count=1).run(refuse)
    assert refused.value.param == "images[3]"


async def test_memory_is_bounded(workers) -> None:
    one = workers(count=1, memory_bytes=400 * MIB)
    first = await one.run(pid)
    assert await one.run(allocate, 300) == 300 * MIB
    with pytest.raises(TooLarge, match=r"workers\.memory_bytes = 419430400") as refused:
        await one.run(allocate, 500, param="images[0]")
    assert refused.value.param == "images[0]"
    assert await one.run(allocate, 300) == 300 * MIB
    # What the first one had of its memory, nobody can tell.
    assert await one.run(pid) != first


async def test_time_is_bounded(workers, tmp_path) -> None:
    one = workers(count=1, timeout_s=2)
    await one.run(pid)
    with pytest.raises(TooLarge, match=r"workers\.timeout_s = 2") as refused:
        await one.run(spin, str(tmp_path / "started"), param="images[1]")
    assert refused.value.param == "images[1]"
    await ends(await appears(tmp_path / "started"))
    assert await one.run(pid)


async def test_who_leaves_ends_the_work(workers, tmp_path) -> None:
    one = workers(count=1)
    task = asyncio.create_task(one.run(spin, str(tmp_path / "started")))
    spinning = await appears(tmp_path / "started")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ends(spinning)
    assert await one.run(pid) != spinning


async def test_work_whose_worker_dies_is_done_once_more(workers, tmp_path) -> None:
    one = workers(count=1)
    assert await one.run(die, str(tmp_path / "died"))
    assert await one.run(die, str(tmp_path / "died, not the first of its worker"))
    with pytest.raises(InvalidImage, match="processes died of it") as refused:
        await one.run(die, param="images[0]")
    assert refused.value.param == "images[0]"


async def test_idle_workers_that_were_killed_cost_nobody_anything(workers, tmp_path) -> None:
    three = workers(count=3)
    waiting = [asyncio.create_task(three.run(wait_for, str(tmp_path / "go"))) for _ in range(3)]
    while three.busy < 3:
        await asyncio.sleep(0.01)
    (tmp_path / "go").touch()
    killed = await asyncio.gather(*waiting)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    for _ in range(3):
        assert await three.run(pid) not in killed


async def test_memory_that_a_worker_keeps_is_not_the_next_images(workers) -> None:
    one = workers(count=1, memory_bytes=400 * MIB)
    first = await one.run(keep, 200)
    assert await one.run(allocate, 300) == 300 * MIB
    assert await one.run(pid) != first


async def test_others_go_on_while_one_is_stopped(workers, tmp_path) -> None:
    two = workers(count=2)
    waits = asyncio.create_task(two.run(wait_for, str(tmp_path / "go")))
    for name in ("first", "second", "third"):
        spins = asyncio.create_task(two.run(spin, str(tmp_path / name)))
        await appears(tmp_path / name)
        spins.cancel()
    (tmp_path / "go").touch()
    assert await waits


async def test_a_full_queue_takes_nobody_on(workers, tmp_path) -> None:
    one = workers(count=1, max_waiting=2)
    assert one.problem() is None
    running = [asyncio.create_task(one.run(wait_for, str(tmp_path / "go"))) for _ in range(3)]
    while one.waiting < 2:
        await asyncio.sleep(0.01)
    problem = one.problem()
    assert problem is not None
    assert "2 requests wait for 1 workers" in problem.public
    with pytest.raises(QueueFull, match=r"workers\.max_waiting = 2; ask again later") as refused:
        one.admit()
    assert (refused.value.status, refused.value.retry_after_s) == (503, 1)
    (tmp_path / "go").touch()
    await asyncio.gather(*running)
    one.admit()


async def test_stopped_workers_end(workers) -> None:
    one = workers(count=1)
    worker = await one.run(pid)
    await one.stop()
    assert not psutil.pid_exists(worker)


async def test_who_leaves_while_a_worker_starts_leaves_no_process_behind(workers) -> None:
    one = workers(count=1)
    for tries in range(10):
        task = asyncio.create_task(one.run(pid))
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

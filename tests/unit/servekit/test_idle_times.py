"""One timer for all that may be idle equally long."""

import asyncio
from collections.abc import Callable

import pytest

from racro.servekit.idle_times import IdleTimes

pytestmark = pytest.mark.clock("standing")


class Connection:
    """Counts how often it was idle for too long, and does something then."""

    def __init__(self, does: Callable[[], None] = lambda: None) -> None:
        self.told = 0
        self._does = does

    def on_idle(self) -> None:
        self.told += 1
        self._does()


@pytest.fixture
async def idle_times() -> IdleTimes:
    return IdleTimes(asyncio.get_running_loop(), 5)


async def pass_time(seconds: float) -> None:
    asyncio.get_running_loop().advance(seconds)
    # Timers that are due are run in the turn after the one that finds them.
    for _ in range(3):
        await asyncio.sleep(0)


def told(*connections: Connection) -> list[int]:
    return [one.told for one in connections]


async def test_each_is_told_once_when_it_was_idle_for_too_long(idle_times) -> None:
    first, second = Connection(), Connection()
    idle_times.start(first)
    await pass_time(3)
    idle_times.start(second)
    await pass_time(2.5)
    assert told(first, second) == [1, 0]
    await pass_time(3)
    await pass_time(30)
    assert told(first, second) == [1, 1]


async def test_one_that_stops_is_not_told_and_one_that_starts_again_has_its_time_anew(
    idle_times,
) -> None:
    stopped, again, between = Connection(), Connection(), Connection()
    for one in (stopped, again):
        idle_times.start(one)
    await pass_time(2)
    idle_times.start(between)
    await pass_time(2)
    idle_times.stop(stopped)
    idle_times.start(again)
    await pass_time(3.5)
    assert told(stopped, again, between) == [0, 0, 1]
    await pass_time(2)
    assert told(stopped, again, between) == [0, 1, 1]


async def test_one_that_stops_another_ends_nothing_else(idle_times) -> None:
    stopped, last, later = Connection(), Connection(), Connection()
    stops = Connection(lambda: idle_times.stop(stopped))
    for one in (stops, stopped, last):
        idle_times.start(one)
    await pass_time(4)
    idle_times.start(later)
    await pass_time(1.5)
    assert told(stops, stopped, last, later) == [1, 0, 1, 0]
    await pass_time(4)
    assert told(later) == [1]


async def test_one_that_another_starts_again_is_not_told_yet(idle_times) -> None:
    started = Connection()
    starts = Connection(lambda: idle_times.start(started))
    for one in (starts, started):
        idle_times.start(one)
    await pass_time(5.5)
    assert told(starts, started) == [1, 0]
    await pass_time(5.5)
    assert told(starts, started) == [1, 1]


async def test_one_that_fails_ends_nothing_else(idle_times, caplog) -> None:
    def fail() -> None:
        raise RuntimeError("no such socket")

    fails, last, later = Connection(fail), Connection(), Connection()
    for one in (fails, last):
        idle_times.start(one)
    await pass_time(4)
    idle_times.start(later)
    await pass_time(1.5)
    assert told(fails, last, later) == [1, 1, 0]
    assert "no such socket" in caplog.text
    await pass_time(4)
    assert told(later) == [1]

"""One timer for all deadlines and keep-alives of a process."""

import asyncio

import pytest

from racro.servekit.timers import Timers

pytestmark = pytest.mark.clock("jumping")


class Repeated:
    """Happens again and again, and notes when."""

    def __init__(self, interval_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._interval_s = interval_s
        self.due = self._loop.time() + interval_s
        self.happened_at: list[float] = []

    def on_due(self) -> None:
        self.happened_at.append(self._loop.time())
        self.due = self._loop.time() + self._interval_s


def seconds(*numbers: float) -> object:
    return pytest.approx(list(numbers), abs=0.1)


async def test_each_thing_has_its_own_time() -> None:
    loop = asyncio.get_running_loop()
    began, timers = loop.time(), Timers(loop)
    slow, fast = Repeated(5), Repeated(2)
    timers.add(slow)
    timers.add(fast)
    await asyncio.sleep(9)
    assert [at - began for at in fast.happened_at] == seconds(2, 4, 6, 8)
    assert [at - began for at in slow.happened_at] == seconds(5)
    timers.remove(fast)
    await asyncio.sleep(4)
    assert len(fast.happened_at) == 4
    assert [at - began for at in slow.happened_at] == seconds(5, 10)


async def test_what_was_removed_does_not_happen() -> None:
    timers, one = Timers(asyncio.get_running_loop()), Repeated(1)
    timers.add(one)
    timers.remove(one)
    await asyncio.sleep(3)
    assert one.happened_at == []
    another = Repeated(1)
    timers.add(another)
    await asyncio.sleep(1.1)
    assert len(another.happened_at) == 1


async def test_what_is_put_off_happens_later() -> None:
    timers, one = Timers(asyncio.get_running_loop()), Repeated(1)
    timers.add(one)
    one.due += 2
    await asyncio.sleep(2.9)
    assert one.happened_at == []
    await asyncio.sleep(0.2)
    assert len(one.happened_at) == 1


async def test_a_thousand_things_at_one_time_happen_once_each() -> None:
    timers = Timers(asyncio.get_running_loop())
    many = [Repeated(1) for _ in range(1000)]
    for one in many:
        timers.add(one)
    await asyncio.sleep(1.5)
    assert all(len(one.happened_at) == 1 for one in many)

"""One timer for all streams of a process."""

import asyncio

import pytest

from racro.servekit.keep_alive import KeepAlives

pytestmark = pytest.mark.clock("jumping")


class Stream:
    """Notes when it broke its silence."""

    def __init__(self, interval_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._interval_s = interval_s
        self.silent_until = self._loop.time() + interval_s
        self.told_at: list[float] = []

    def break_silence(self) -> None:
        self.told_at.append(self._loop.time())
        self.silent_until = self._loop.time() + self._interval_s


async def test_each_stream_has_its_own_time() -> None:
    loop = asyncio.get_running_loop()
    began, keep_alives = loop.time(), KeepAlives(loop)
    slow, fast = Stream(5), Stream(2)
    keep_alives.add(slow)
    keep_alives.add(fast)
    await asyncio.sleep(9)
    assert [at - began for at in fast.told_at] == pytest.approx([2, 4, 6, 8])
    assert [at - began for at in slow.told_at] == pytest.approx([5])
    keep_alives.remove(fast)
    await asyncio.sleep(4)
    assert len(fast.told_at) == 4
    assert [at - began for at in slow.told_at] == pytest.approx([5, 10])


async def test_without_a_stream_there_is_no_timer() -> None:
    keep_alives, stream = KeepAlives(asyncio.get_running_loop()), Stream(1)
    keep_alives.add(stream)
    keep_alives.remove(stream)
    await asyncio.sleep(3)
    assert stream.told_at == []
    another = Stream(1)
    keep_alives.add(another)
    await asyncio.sleep(1)
    assert len(another.told_at) == 1

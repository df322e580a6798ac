"""Work that is done once for all who ask."""

import asyncio

import pytest

from racro.servekit.tasks import one_at_a_time


async def test_once_for_all_who_ask_while_it_runs() -> None:
    begun, go_on = 0, asyncio.Event()

    async def work() -> int:
        nonlocal begun
        begun += 1
        await go_on.wait()
        return begun

    ask = one_at_a_time(work)
    first, *others = [asyncio.create_task(ask()) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go_on.set()
    assert await asyncio.gather(*others) == [1] * 4
    assert await ask() == 2


async def test_an_error_is_everybody_s_and_not_kept() -> None:
    errors = [ValueError("once")]

    async def work() -> str:
        if errors:
            raise errors.pop()
        return "well"

    ask = one_at_a_time(work)
    answers = await asyncio.gather(ask(), ask(), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["once", "once"]
    assert await ask() == "well"

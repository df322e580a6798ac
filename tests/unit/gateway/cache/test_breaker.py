"""How long a peer is waited for."""

import asyncio

import pytest

from gateway.cache.breaker import bounded

pytestmark = pytest.mark.clock("standing")


async def waiting(answer: asyncio.Future[str], seconds: float) -> asyncio.Task[str]:
    task = asyncio.create_task(bounded(answer, seconds))
    await settle()
    return task


async def settle() -> None:
    """Let all that is due happen."""
    for _ in range(10):
        await asyncio.sleep(0)


async def after(seconds: float) -> None:
    asyncio.get_running_loop().advance(seconds)
    await settle()


async def test_an_answer_in_time_is_the_result() -> None:
    answer = asyncio.get_running_loop().create_future()
    asked = await waiting(answer, 1)
    await after(0.99)
    answer.set_result("yes")
    assert await asked == "yes"


async def test_an_answer_that_does_not_come_in_time_is_cancelled() -> None:
    answer = asyncio.get_running_loop().create_future()
    asked = await waiting(answer, 1)
    await after(1)
    with pytest.raises(TimeoutError):
        await asked
    assert answer.cancelled()


async def test_time_in_which_the_loop_was_busy_is_given_again() -> None:
    answer = asyncio.get_running_loop().create_future()
    asked = await waiting(answer, 1)
    await after(10)
    assert not asked.done()
    await after(0.99)
    answer.set_result("yes")
    assert await asked == "yes"


async def test_it_is_not_given_for_ever() -> None:
    answer = asyncio.get_running_loop().create_future()
    asked = await waiting(answer, 1)
    for _ in range(3):
        assert not asked.done()
        await after(10)
    with pytest.raises(TimeoutError):
        await asked

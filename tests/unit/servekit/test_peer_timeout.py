"""How long a peer is waited for: time in which our own event loop was busy does not count."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from racro.servekit.peer_timeout import peer_timeout
from racro.servekit.settings import UpstreamsSection
from racro.servekit.upstream import Response, Upstream, open_client
from support.scripted import ScriptedServer

pytestmark = pytest.mark.clock("standing")


async def waiting(answer: asyncio.Future[str], seconds: float) -> asyncio.Task[str]:
    async def wait() -> str:
        async with peer_timeout(seconds):
            return await answer

    task = asyncio.create_task(wait())
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


async def test_one_who_leaves_is_no_timeout() -> None:
    answer = asyncio.get_running_loop().create_future()
    asked = await waiting(answer, 1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert answer.cancelled()
    # Nothing is left that would happen later.
    await after(1)


@asynccontextmanager
async def blocked_loop(seconds: float) -> AsyncIterator[None]:
    """Block the event loop in each of its turns."""

    async def block() -> None:
        while True:
            time.sleep(seconds)  # noqa: ASYNC251 - that is what it is for
            await asyncio.sleep(0)

    blocking = asyncio.create_task(block())
    try:
        yield
    finally:
        blocking.cancel()


@pytest.mark.clock("real", "uvloop")
async def test_a_loop_that_is_late_makes_its_connections() -> None:
    # Each turn of the loop takes longer than there is time for a connection.
    settings = UpstreamsSection(connect_timeout_s=0.01)
    with ScriptedServer() as server:
        async with open_client(settings, reuse=False) as client, blocked_loop(0.1):
            upstream = Upstream(client, server.url, name="engine")
            asking = [upstream.post("/v1/chat/completions", {}) for _ in range(5)]
            statuses = await asyncio.gather(*map(status_of, asking))
    assert statuses == [200] * 5


async def status_of(asking: AbstractAsyncContextManager[Response]) -> int:
    async with asking as answer:
        return answer.status

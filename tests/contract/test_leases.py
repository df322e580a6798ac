"""Of all gateways that share a Redis one makes what all of them wait for."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from prometheus_client import REGISTRY

from gateway.cache.leases import _NOTE_MS, NoLeases, RedisLeases
from gateway.cache.redis_client import RedisClient
from gateway.settings import CacheSection
from racro.contracts.cache_keys import lease_key
from racro.contracts.errors import InvalidImage
from support.processes import PATIENCE_S
from support.redis import RedisServer, Wire

# Nothing runs out on a busy machine that a test does not let run out.
LEASE_S = PATIENCE_S
KEY = "racro:1:context:caption:00"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


class Gateway:
    """One process's leases, and a store that all of them see."""

    stored: dict[str, str]

    def __init__(
        self,
        url: str,
        stored: dict[str, str],
        *,
        wait_s: float = PATIENCE_S,
    ) -> None:
        self.server = RedisClient(CacheSection(url=url, timeout_ms=1000 * PATIENCE_S))
        self.leases = RedisLeases(self.server, lease_s=LEASE_S, wait_s=wait_s)
        self.stored = stored
        self.calls = 0
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def look_up(self) -> str | None:
        return self.stored.get(KEY)

    async def make(self) -> str:
        self.calls += 1
        await self.go.wait()
        if self.error is not None:
            raise self.error
        self.stored[KEY] = "made"
        return "made"

    def ask(self) -> asyncio.Task[str]:
        return asyncio.create_task(self._once())

    async def _once(self) -> str:
        value, _ = await self.leases.once(KEY, self.look_up, self.make)
        return value


async def until(condition, *, what: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)
    assert condition(), what


def waited() -> float:
    """How often somebody has seen that another makes it."""
    return REGISTRY.get_sample_value("racro_leases_total", {"outcome": "waited"}) or 0


@pytest.fixture
async def gateways(redis) -> AsyncIterator[list[Gateway]]:
    redis.client.flushall()
    stored: dict[str, str] = {}
    gateways = [Gateway(redis.url, stored) for _ in range(3)]
    yield gateways
    for gateway in gateways:
        await gateway.server.close()


async def holder_of(gateways: list[Gateway]) -> Gateway:
    await until(lambda: any(gateway.calls for gateway in gateways), what="somebody makes it")
    return next(gateway for gateway in gateways if gateway.calls)


def calls(gateways: list[Gateway]) -> int:
    return sum(gateway.calls for gateway in gateways)


async def test_one_makes_and_all_get_it(gateways, redis) -> None:
    asked = [gateway.ask() for gateway in gateways]
    (await holder_of(gateways)).go.set()
    assert await asyncio.gather(*asked) == ["made"] * 3
    assert calls(gateways) == 1
    # A note to those who waited, for a moment.
    assert all(-1 != redis.client.pttl(key) <= _NOTE_MS for key in redis.all_keys())


async def until_after(seconds: float, condition) -> None:
    """Let so much of a standing clock pass between two looks."""
    while not condition():
        asyncio.get_running_loop().advance(seconds)
        await asyncio.to_thread(time.sleep, 0.01)


@pytest.mark.clock("standing")
async def test_a_holder_renews_its_lease(gateways, redis) -> None:
    lease = lease_key(KEY)
    asked = [gateway.ask() for gateway in gateways]
    await until_after(0, lambda: calls(gateways))
    token = redis.client.get(lease)
    redis.client.pexpire(lease, 500 * LEASE_S)
    asyncio.get_running_loop().advance(LEASE_S / 3)
    await until_after(0, lambda: redis.client.pttl(lease) > 500 * LEASE_S)
    assert redis.client.get(lease) == token
    for gateway in gateways:
        gateway.go.set()
    await until_after(0.1, lambda: all(one.done() for one in asked))
    assert calls(gateways) == 1


async def test_the_error_of_the_one_is_the_error_of_those_who_waited(gateways) -> None:
    before = waited()
    asked = [gateway.ask() for gateway in gateways]
    holder = await holder_of(gateways)
    await until(lambda: waited() == before + 2, what="the others have seen who makes it")
    holder.error = InvalidImage("no image", param="images[0]")
    holder.go.set()
    for error in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(error, InvalidImage)
        assert (error.message, error.param) == ("no image", "images[0]")
    assert calls(gateways) == 1


async def test_who_comes_after_a_failure_tries_again(gateways) -> None:
    first, second, _ = gateways
    first.error = InvalidImage("no image")
    first.go.set()
    second.go.set()
    with pytest.raises(InvalidImage):
        await first.ask()
    assert await second.ask() == "made"


async def test_one_whose_callers_left_lets_another_take_over(gateways) -> None:
    holder, waiter, _ = gateways
    before = waited()
    asked = holder.ask()
    await until(lambda: holder.calls, what="the first makes it")
    waiting = waiter.ask()
    waiter.go.set()
    await until(lambda: waited() == before + 1, what="the other has seen who makes it")
    asked.cancel()
    assert await waiting == "made"
    assert (holder.calls, waiter.calls) == (1, 1)


async def test_one_that_died_is_taken_over_by_one(gateways, redis) -> None:
    holder, *waiters = gateways
    redis.client.set(lease_key(KEY), "somebody who is dead", px=600)
    asked = [gateway.ask() for gateway in waiters]
    for waiter in waiters:
        waiter.go.set()
    assert await asyncio.gather(*asked) == ["made"] * 2
    assert calls(waiters) == 1
    assert holder.calls == 0


async def test_after_the_longest_wait_each_makes_its_own(redis) -> None:
    redis.client.flushall()
    redis.client.set(lease_key(KEY), "somebody who takes for ever", px=60_000)
    gateway = Gateway(redis.url, {}, wait_s=0.3)
    gateway.go.set()
    assert await gateway.ask() == "made"
    assert redis.client.get(lease_key(KEY)) == b"somebody who takes for ever"
    await gateway.server.close()


async def test_without_redis_each_makes_its_own(redis) -> None:
    redis.client.flushall()
    with Wire(redis.port) as wire:
        gateways = [Gateway(wire.url, {}) for _ in range(2)]
        wire.set("cut")
        asked = [gateway.ask() for gateway in gateways]
        await until(lambda: calls(gateways) == 2, what="both make it")
        for gateway in gateways:
            gateway.go.set()
        assert await asyncio.gather(*asked) == ["made"] * 2
        for gateway in gateways:
            await gateway.server.close()


async def test_waiters_go_on_alone_when_redis_goes(redis) -> None:
    redis.client.flushall()
    with Wire(redis.port) as wire:
        gateways = [Gateway(wire.url, {}) for _ in range(2)]
        before = waited()
        asked = [gateway.ask() for gateway in gateways]
        await holder_of(gateways)
        await until(lambda: waited() == before + 1, what="the other has seen who makes it")
        wire.set("cut")
        await until(lambda: calls(gateways) == 2, what="the one that waited makes its own")
        for gateway in gateways:
            gateway.go.set()
        assert await asyncio.gather(*asked) == ["made"] * 2
        for gateway in gateways:
            await gateway.server.close()


@pytest.mark.parametrize("held", ["immortal", "longer than any", "a list"])
async def test_what_is_no_lease_of_ours_holds_nobody_up(redis, gateways, held) -> None:
    if held == "immortal":
        redis.client.set(lease_key(KEY), "x" * 32)
    elif held == "longer than any":
        redis.client.set(lease_key(KEY), "x" * 32, ex=10**6)
    else:
        redis.client.rpush(lease_key(KEY), "x")
    before = waited()
    gateways[0].go.set()
    assert await gateways[0].ask() == "made"
    assert waited() == before
    assert gateways[0].server.problem is None


async def test_who_leaves_while_asking_for_a_lease_leaves_none(redis, gateways) -> None:
    for turns in range(60):
        asked = gateways[0].ask()
        for _ in range(turns):
            await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert redis.all_keys() == []


@pytest.mark.clock("standing")
async def test_a_lease_that_redis_has_lost_is_taken_again(redis, gateways) -> None:
    asked = gateways[0].ask()
    await until_after(0, lambda: gateways[0].calls)
    redis.client.flushall()
    asyncio.get_running_loop().advance(LEASE_S / 3)
    await until_after(0, lambda: redis.client.get(lease_key(KEY)))
    other = gateways[1].ask()
    gateways[0].go.set()
    await until_after(0.1, lambda: asked.done() and other.done())
    assert (asked.result(), other.result()) == ("made", "made")
    assert calls(gateways) == 1


async def test_what_the_holder_could_not_store_each_makes_at_once(gateways) -> None:
    holder, *waiters = gateways
    holder.stored = {}  # nobody else sees what it stores
    asked = [holder.ask()]
    await until(lambda: holder.calls, what="the first makes it")
    before = waited()
    asked += [waiter.ask() for waiter in waiters]
    await until(lambda: waited() == before + 2, what="the others have seen who makes it")
    holder.go.set()
    await until(lambda: calls(waiters) == 2, what="both others make their own")
    for waiter in waiters:
        waiter.go.set()
    assert await asyncio.gather(*asked) == ["made"] * 3


async def test_one_process_alone_needs_no_lease() -> None:
    async def none() -> None:
        return None

    async def found() -> str:
        return "found"

    async def make() -> str:
        return "made"

    assert await NoLeases().once(KEY, none, make) == ("made", False)
    assert await NoLeases().once(KEY, found, make) == ("found", False)

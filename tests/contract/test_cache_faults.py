"""Whatever Redis does: the cache answers in time, says what is wrong, and recovers by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from gateway.cache import Cache
from gateway.cache.opening import open_cache, open_server
from gateway.settings import CacheSection
from support.redis import RedisServer, Wire

TIMEOUT_MS = 40


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer("--maxmemory-policy", "noeviction") as server:
        yield server


@pytest.fixture
def wire(redis) -> Iterator[Wire]:
    redis.client.flushall()
    with Wire(redis.port) as wire:
        yield wire


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Cache]:
    # Without a tier of its own every operation goes to Redis.
    section = CacheSection(url=url, max_bytes=0, timeout_ms=TIMEOUT_MS)
    cache = open_cache(section, open_server(section))
    try:
        yield cache
    finally:
        await cache.close()


async def until(condition, *, what: str) -> None:
    async with asyncio.timeout(15):
        while not await condition():
            await asyncio.sleep(0.02)


async def holds(cache: Cache, key: str = "a") -> bool:
    await cache.set(key, b"1")
    return await cache.get([key]) == [b"1"] and cache.problem is None


async def lives(cache: Cache) -> None:
    await until(lambda: holds(cache), what="the cache works")


async def test_it_is_left_out_at_once_and_back_by_itself(wire, subtests) -> None:
    for fault in ("silent", "cut", "garbage"):
        with subtests.test(fault):
            async with opened(wire.url) as cache:
                await lives(cache)
                wire.set(fault)
                assert await cache.get(["a"]) == [None]
                assert cache.problem is not None
                wire.set("pass")
                await lives(cache)


async def test_a_slow_answer_is_not_waited_for(wire) -> None:
    async with opened(wire.url) as cache:
        await lives(cache)
        wire.delay_s = 1
        assert await cache.get(["a"]) == [None]
        assert cache.problem == "reading: no answer in time"
        wire.delay_s = 0
        await lives(cache)


async def test_an_answer_that_came_too_late_is_no_answer_to_another_question(wire) -> None:
    async with opened(wire.url) as cache:
        await lives(cache)
        await cache.set("b", b"2")
        wire.delay_s = 0.2
        assert await cache.get(["a"]) == [None]
        wire.delay_s = 0
        await lives(cache)
        for _ in range(50):
            assert await cache.get(["b"]) == [b"2"]


async def test_frozen_killed_and_restarted(redis) -> None:
    async with opened(redis.url) as cache:
        await lives(cache)
        redis.freeze()
        assert await cache.get(["a"]) == [None]
        redis.thaw()
        await lives(cache)
        redis.kill()
        assert await cache.get(["a"]) == [None]
        assert cache.problem is not None
        redis.start()
        await lives(cache)


async def test_one_that_is_full_is_still_read(redis) -> None:
    redis.client.flushall()
    async with opened(redis.url) as cache:
        await lives(cache)
        redis.client.config_set("maxmemory", 1)
        await cache.set("b", b"2")
        assert cache.problem == "writing: failing"
        assert await cache.get(["a", "b"]) == [b"1", None]
        redis.client.config_set("maxmemory", 0)
        await lives(cache)


async def test_one_that_may_not_be_written_is_still_read(redis) -> None:
    redis.client.flushall()
    async with opened(redis.url) as cache:
        await lives(cache)
        redis.client.execute_command("REPLICAOF", "127.0.0.1", "1")
        await cache.set("b", b"2")
        assert cache.problem == "writing: failing"
        redis.client.execute_command("REPLICAOF", "NO", "ONE")
        await lives(cache)


async def test_a_value_of_another_type_is_none_of_ours(redis) -> None:
    redis.client.flushall()
    redis.client.rpush("a", "x")
    async with opened(redis.url) as cache:
        [value] = await cache.get(["a"])
        assert value is not None
        assert not value.startswith(b"RC")
        await cache.delete(["a"])
        assert redis.all_keys() == []
        assert cache.problem is None


async def test_a_huge_value_is_not_read_to_its_end(redis) -> None:
    redis.client.flushall()
    redis.client.set("a", bytes(100 * 2**20))
    async with opened(redis.url) as cache:
        [value] = await cache.get(["a"])
        assert value is not None
        assert len(value) < 2**20
    redis.client.flushall()


async def test_while_it_is_left_out_nobody_waits(wire) -> None:
    async with opened(wire.url) as cache:
        wire.set("silent")
        began = time.perf_counter()
        await asyncio.gather(*(cache.get(["a"]) for _ in range(100)))
        first = time.perf_counter() - began
        began = time.perf_counter()
        for _ in range(1000):
            assert await cache.get(["a"]) == [None]
        each = (time.perf_counter() - began) / 1000
        # Generous by ten and more: what is meant is 50 ms and 1 ms, and benchmarks measure it.
        assert first < 2
        assert each < 0.02

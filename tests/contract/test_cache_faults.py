"""Whatever Redis does: the cache answers in time, says what is wrong, and recovers by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager

import pytest

from gateway.cache import Cache
from gateway.cache.opening import open_caches
from gateway.settings import CacheSection
from support.certificates import make_certificate
from support.processes import free_port
from support.redis import RedisServer, Wire

# By a clock that a test moves: a busy machine does not look like a slow Redis.
TIMEOUT_MS = 400
pytestmark = pytest.mark.clock("standing")


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
    cache = (await open_caches(section)).cache
    try:
        yield cache
    finally:
        await cache.close()


async def out_of_time(answer: Awaitable[list[bytes | None]]) -> list[bytes | None]:
    """What the cache says when its time is up."""
    waiting = asyncio.ensure_future(answer)
    await asyncio.sleep(0)
    assert not waiting.done()
    asyncio.get_running_loop().advance(TIMEOUT_MS / 1000)
    return await waiting


async def until(condition) -> None:
    while not await condition():
        asyncio.get_running_loop().advance(0.05)
        await asyncio.to_thread(time.sleep, 0.01)


async def holds(cache: Cache, key: str = "a") -> bool:
    await cache.set(key, b"1")
    return await cache.get([key]) == [b"1"] and cache.problem is None


async def lives(cache: Cache) -> None:
    await until(lambda: holds(cache))


async def test_it_is_left_out_at_once_and_back_by_itself(wire, subtests) -> None:
    for fault in ("silent", "cut", "garbage"):
        with subtests.test(fault):
            async with opened(wire.url) as cache:
                await lives(cache)
                wire.set(fault)
                asked = cache.get(["a"])
                assert await (out_of_time(asked) if fault == "silent" else asked) == [None]
                assert cache.problem is not None
                wire.set("pass")
                await lives(cache)


async def test_a_slow_answer_is_not_waited_for(wire) -> None:
    async with opened(wire.url) as cache:
        await lives(cache)
        wire.hold()
        assert await out_of_time(cache.get(["a"])) == [None]
        assert cache.problem == "reading: no answer in time"
        wire.release()
        await lives(cache)


async def test_an_answer_that_came_too_late_is_no_answer_to_another_question(wire) -> None:
    async with opened(wire.url) as cache:
        await lives(cache)
        await cache.set("b", b"2")
        wire.hold()
        assert await out_of_time(cache.get(["a"])) == [None]
        wire.release()
        await lives(cache)
        for _ in range(50):
            assert await cache.get(["b"]) == [b"2"]


async def test_frozen_killed_and_restarted(redis) -> None:
    async with opened(redis.url) as cache:
        await lives(cache)
        redis.freeze()
        try:
            assert await out_of_time(cache.get(["a"])) == [None]
        finally:
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
        try:
            await cache.set("b", b"2")
            assert cache.problem == "writing: refused"
            assert await cache.get(["a", "b"]) == [b"1", None]
        finally:
            redis.client.config_set("maxmemory", 0)
        await lives(cache)


async def test_one_that_may_not_be_written_is_still_read(redis) -> None:
    redis.client.flushall()
    async with opened(redis.url) as cache:
        await lives(cache)
        redis.client.execute_command("REPLICAOF", "127.0.0.1", "1")
        try:
            await cache.set("b", b"2")
            assert cache.problem == "writing: refused"
        finally:
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


async def test_while_it_is_left_out_it_is_not_asked(redis) -> None:
    with Wire(redis.port) as wire:
        async with opened(wire.url) as cache:
            await lives(cache)
            wire.set("silent")
            await out_of_time(asyncio.gather(*(cache.get(["a"]) for _ in range(200))))
            asked = wire.bytes_asked
            for _ in range(1000):
                assert await cache.get(["a"]) == [None]
            # Probes go on; a thousand questions would be 30 KB and more.
            assert wire.bytes_asked - asked < 2000


async def test_a_rush_on_a_healthy_one_does_not_look_like_a_slow_one(redis) -> None:
    """Most wait for a free connection several times as long as Redis may take to answer."""
    clock = asyncio.get_running_loop()

    async def ask(cache: Cache) -> list[bytes | None]:
        found = await cache.get(["a"])
        clock.advance(TIMEOUT_MS / 1000 / 100)
        return found

    async with opened(redis.url) as cache:
        await cache.set("a", b"1")
        found = await asyncio.gather(*(ask(cache) for _ in range(500)))
        assert found == [[b"1"]] * 500
        assert cache.problem is None


async def test_a_busy_event_loop_does_not_look_like_a_slow_one(redis) -> None:
    async with opened(redis.url) as cache:
        await cache.set("a", b"1")
        for _ in range(3):
            asked = asyncio.create_task(cache.get(["a"]))
            await asyncio.sleep(0)
            asyncio.get_running_loop().advance(TIMEOUT_MS / 1000 * 1.5)
            assert await asked == [b"1"]
        assert cache.problem is None


async def test_over_tls(tmp_path) -> None:
    make_certificate(tmp_path)
    with RedisServer(
        "--tls-port", str(port := free_port()), "--tls-auth-clients", "no",
        "--tls-cert-file", f"{tmp_path}/cert.pem", "--tls-key-file", f"{tmp_path}/key.pem",
    ):  # fmt: skip
        url = f"rediss://127.0.0.1:{port}/0"
        async with opened(f"{url}?ssl_ca_certs={tmp_path}/cert.pem") as cache:
            await lives(cache)
        async with opened(url) as cache:
            assert cache.problem == "reading: cannot be reached"
        # Where a name has several addresses, not all of them listen.
        named = url.replace("127.0.0.1", "localhost")
        async with opened(f"{named}?ssl_ca_certs={tmp_path}/cert.pem") as cache:
            assert cache.problem is None

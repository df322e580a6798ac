"""What every cache does: the one in the process, Redis, and the one before the other."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.cache import Cache
from gateway.cache.memory import MemoryCache
from gateway.cache.opening import open_caches
from gateway.cache.tiered import TieredCache
from gateway.settings import CacheSection
from support.redis import RedisServer

KINDS = ["memory", "redis", "tiered"]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


async def opened(kind: str, url: str, **settings) -> Cache:
    if kind == "memory":
        return (await open_caches(CacheSection(**settings))).cache
    caches = await open_caches(CacheSection(url=url, timeout_ms=300_000, **settings))
    return caches.shared if kind == "redis" else caches.cache


@pytest.fixture(params=KINDS)
async def cache(request, server) -> AsyncIterator[Cache]:
    server.client.flushall()
    cache = await opened(request.param, server.url)
    yield cache
    await cache.close()


async def test_what_was_set_is_found_in_the_order_asked(cache) -> None:
    await cache.set("a", b"1")
    await cache.set("b", b"\x00\xff" * 1000)
    assert await cache.get(["b", "none", "a"]) == [b"\x00\xff" * 1000, None, b"1"]


async def test_the_last_value_counts(cache) -> None:
    await cache.set("a", b"1")
    await cache.set("a", b"2")
    assert await cache.get(["a"]) == [b"2"]


async def test_what_was_deleted_is_gone(cache) -> None:
    await cache.set("a", b"1")
    await cache.set("b", b"2")
    await cache.delete(["a", "none"])
    assert await cache.get(["a", "b"]) == [None, b"2"]


async def test_nothing_is_wrong_with_it(cache) -> None:
    assert cache.problem is None


@pytest.mark.parametrize("kind", KINDS)
async def test_it_forgets_after_its_time_to_live(kind, server) -> None:
    cache = await opened(kind, server.url, ttl_s=1)
    assert await cache.set("short", b"1")
    while await cache.get(["short"]) != [None]:
        await asyncio.sleep(0.05)
    await cache.close()


async def test_no_key_in_redis_stays_for_ever(server) -> None:
    server.client.flushall()
    caches = await open_caches(CacheSection(url=server.url, timeout_ms=300_000))

    async def nothing() -> None:
        return None

    async def make() -> str:
        await caches.cache.set("a", b"1")
        assert len(server.all_keys()) == 2
        assert all(server.client.pttl(key) > 0 for key in server.all_keys())
        return "made"

    await caches.leases.once("b", nothing, make)
    assert "a" in server.all_keys()
    assert all(server.client.pttl(key) > 0 for key in server.all_keys())
    await caches.cache.close()


async def test_a_copy_does_not_undo_a_change_that_came_meanwhile(server) -> None:
    """A gateway reads Redis, another request refreshes, and only then the first one goes on."""
    shared = MemoryCache(1000, ttl_s=60)
    await shared.set("a", b"old")

    class Slow(MemoryCache):
        async def get(self, keys):
            values = await shared.get(keys)
            await tiered.set("a", b"new")
            return values

    tiered = TieredCache(MemoryCache(1000, ttl_s=60), Slow(1000, ttl_s=60))
    assert await tiered.get(["a"]) == [b"old"]
    assert tiered.get_local(["a"]) == [b"new"]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_too_large_is_not_taken(kind, server) -> None:
    cache = await opened(kind, server.url, max_bytes=1000, max_entry_bytes=1024)
    assert await cache.set("small", b"1")
    assert not await cache.set("large", bytes(3000))
    assert await cache.get(["small", "large"]) == [b"1", None]
    await cache.close()

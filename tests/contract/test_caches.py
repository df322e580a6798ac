"""What every cache does: the one in the process, Redis, and the one before the other."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.cache import Cache
from gateway.cache.memory import MemoryCache
from gateway.cache.opening import open_cache
from gateway.cache.redis import RedisCache
from gateway.cache.server import RedisServer as Server
from gateway.settings import CacheSection
from racro.contracts.errors import InvalidImage
from support.redis import RedisServer

KINDS = ["memory", "redis", "tiered"]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def opened(kind: str, url: str, **settings) -> Cache:
    if kind == "memory":
        return open_cache(CacheSection(**settings), None)
    section = CacheSection(url=url, timeout_ms=2000, **settings)
    return (
        RedisCache(Server(section), section)
        if kind == "redis"
        else open_cache(section, Server(section))
    )


@pytest.fixture(params=KINDS)
async def cache(request, server) -> AsyncIterator[Cache]:
    server.client.flushall()
    cache = opened(request.param, server.url)
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


async def test_what_is_looked_up_is_not_made(cache) -> None:
    async def look_up() -> str | None:
        return "found"

    async def make() -> str:
        raise AssertionError

    if not isinstance(cache, MemoryCache):
        assert await cache.once("a", look_up, make) == "found"


async def nothing() -> None:
    return None


async def test_what_is_not_found_is_made(cache) -> None:
    async def make() -> str:
        return "made"

    assert await cache.once("a", nothing, make) == "made"


async def test_the_error_of_making_is_raised(cache) -> None:
    async def fail() -> None:
        raise InvalidImage("no image")

    with pytest.raises(InvalidImage, match="no image"):
        await cache.once("a", nothing, fail)


@pytest.mark.parametrize("kind", KINDS)
async def test_it_forgets_after_its_time_to_live(kind, server) -> None:
    cache = opened(kind, server.url, ttl_s=1)
    await cache.set("short", b"1")
    assert await cache.get(["short"]) == [b"1"]
    async with asyncio.timeout(10):
        while await cache.get(["short"]) != [None]:
            await asyncio.sleep(0.05)
    await cache.close()


async def test_no_key_in_redis_stays_for_ever(server) -> None:
    server.client.flushall()
    cache = opened("tiered", server.url)

    async def make() -> str:
        await cache.set("a", b"1")
        assert all(server.client.pttl(key) > 0 for key in server.all_keys()), server.all_keys()
        return "made"

    await cache.once("a", nothing, make)
    assert server.all_keys() == ["a"]
    assert server.client.ttl("a") > 0
    await cache.close()

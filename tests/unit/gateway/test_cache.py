"""The memory cache against a model of one."""

import asyncio
from collections import OrderedDict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gateway.cache import MemoryCache, open_cache
from gateway.settings import CacheSection

MAX_BYTES = 40
NAMES = ["a", "b", "cc", "ddd"]
KEYS = st.sampled_from(NAMES)
VALUES = st.integers(0, MAX_BYTES + 5).map(bytes)


def size(key: str, value: bytes) -> int:
    return len(key) + len(value)


class CacheMachine(RuleBasedStateMachine):
    """The model evicts from its front, moves what is used to its back, and is never too large."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.cache = MemoryCache(MAX_BYTES)
        self.model: OrderedDict[str, bytes] = OrderedDict()

    def teardown(self) -> None:
        try:
            for key in NAMES:
                self.get(key)
        finally:
            self.loop.close()

    @rule(key=KEYS)
    def get(self, key) -> None:
        assert self.loop.run_until_complete(self.cache.get(key)) == self.model.get(key)
        if key in self.model:
            self.model.move_to_end(key)

    @rule(key=KEYS, value=VALUES)
    def set(self, key, value) -> None:
        self.loop.run_until_complete(self.cache.set(key, value))
        self.model.pop(key, None)
        if size(key, value) > MAX_BYTES:
            return
        self.model[key] = value
        while sum(size(*entry) for entry in self.model.items()) > MAX_BYTES:
            self.model.popitem(last=False)


TestMemoryCache = CacheMachine.TestCase
TestMemoryCache.settings = settings(max_examples=60, stateful_step_count=25)


@pytest.mark.parametrize("max_bytes", [0, 4])
async def test_an_entry_larger_than_the_cache_is_not_kept(max_bytes) -> None:
    cache = MemoryCache(max_bytes)
    await cache.set("key", b"12")
    assert await cache.get("key") is None


async def test_an_entry_larger_than_the_cache_costs_no_other_entry() -> None:
    cache = MemoryCache(10)
    await cache.set("small", b"123")
    await cache.set("large", b"0123456789")
    assert await cache.get("small") == b"123"


async def test_what_was_read_last_stays_longest() -> None:
    cache = MemoryCache(6)
    for key in "abc":
        await cache.set(key, b"1")
    await cache.get("a")
    await cache.set("d", b"1")
    kept = [key for key in "abcd" if await cache.get(key) is not None]
    assert kept == ["a", "c", "d"]


async def test_replacing_an_entry_frees_the_old_one() -> None:
    cache = MemoryCache(5)
    for _ in range(10):
        await cache.set("key", b"12")
    await cache.set("key", b"1")
    assert await cache.get("key") == b"1"


async def test_a_closed_cache_is_empty() -> None:
    cache = MemoryCache(100)
    await cache.set("key", b"12")
    await cache.close()
    assert await cache.get("key") is None


async def test_the_size_is_a_setting() -> None:
    cache = open_cache(CacheSection(max_bytes=4))
    await cache.set("a", b"123")
    await cache.set("b", b"123")
    assert await cache.get("a") is None
    assert await cache.get("b") == b"123"
    await cache.close()

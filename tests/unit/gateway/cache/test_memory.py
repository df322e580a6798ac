"""The memory cache against a model of one."""

import asyncio
from collections import OrderedDict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gateway.cache.memory import MemoryCache

MAX_BYTES = 40
TTL_S = 60
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
        self.now = 0.0
        self.cache = MemoryCache(MAX_BYTES, ttl_s=TTL_S, clock=lambda: self.now)
        self.model: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def teardown(self) -> None:
        try:
            for key in NAMES:
                self.get(key)
            assert self.cache.bytes == sum(size(key, value) for key, (value, _) in
                                           self.model.items())  # fmt: skip
        finally:
            self.loop.close()

    @rule(seconds=st.integers(0, TTL_S))
    def wait(self, seconds) -> None:
        self.now += seconds

    @rule(key=KEYS)
    def get(self, key) -> None:
        if key in self.model and self.model[key][1] <= self.now:
            del self.model[key]
        expected = self.model.get(key, (None, 0))[0]
        assert self.loop.run_until_complete(self.cache.get([key])) == [expected]
        if key in self.model:
            self.model.move_to_end(key)

    @rule(key=KEYS)
    def delete(self, key) -> None:
        self.loop.run_until_complete(self.cache.delete([key]))
        self.model.pop(key, None)

    @rule(key=KEYS, value=VALUES)
    def set(self, key, value) -> None:
        self.loop.run_until_complete(self.cache.set(key, value))
        self.model.pop(key, None)
        if size(key, value) > MAX_BYTES:
            return
        self.model[key] = (value, self.now + TTL_S)
        while sum(size(name, kept) for name, (kept, _) in self.model.items()) > MAX_BYTES:
            self.model.popitem(last=False)


TestMemoryCache = CacheMachine.TestCase
TestMemoryCache.settings = settings(max_examples=60, stateful_step_count=25)


async def test_what_was_read_last_stays_longest() -> None:
    cache = MemoryCache(6, ttl_s=TTL_S)
    for key in "abc":
        await cache.set(key, b"1")
    await cache.get(["a"])
    await cache.set("d", b"1")
    values = await cache.get("abcd")
    assert values == [b"1", None, b"1", b"1"]


async def test_a_large_entry_costs_no_other_one() -> None:
    cache = MemoryCache(10, ttl_s=TTL_S)
    await cache.set("small", b"123")
    await cache.set("large", b"0123456789")
    assert await cache.get(["small", "large"]) == [b"123", None]

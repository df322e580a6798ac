"""A cache in the memory of the process."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway import metrics


class _Kept(NamedTuple):
    value: bytes
    expires: float


class MemoryCache:
    """Drops the least recently used entries at `max_bytes`, and all others after `ttl_s` seconds.

    Keys and values count; Python's own overhead, about 300 bytes an entry, does not. `clock` gives
    monotonic seconds: a wall clock that is set back would make entries immortal.
    """

    problem: str | None = None

    def __init__(
        self, max_bytes: int, *, ttl_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._clock = clock
        self._entries: OrderedDict[str, _Kept] = OrderedDict()
        self.bytes = 0

    def get_local(self, keys: Sequence[str]) -> list[bytes | None]:
        with metrics.cache_seconds("local", "get"):
            values = [self._get(key) for key in keys]
        metrics.count_hits("local", sum(value is not None for value in values))
        return values

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        return self.get_local(keys)

    async def set(self, key: str, value: bytes, *, ttl_s: int | None = None) -> bool:
        self._forget(key)
        if _size(key, value) > self._max_bytes:
            return False
        self._entries[key] = _Kept(value, self._clock() + min(ttl_s or self._ttl_s, self._ttl_s))
        self.bytes += _size(key, value)
        while self.bytes > self._max_bytes:
            self._forget(next(iter(self._entries)))
        return True

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._forget(key)

    async def close(self) -> None:
        self._entries.clear()
        self.bytes = 0

    def _get(self, key: str) -> bytes | None:
        kept = self._entries.get(key)
        if kept is None:
            return None
        if kept.expires <= self._clock():
            self._forget(key)
            return None
        self._entries.move_to_end(key)
        return kept.value

    def _forget(self, key: str) -> None:
        if (kept := self._entries.pop(key, None)) is not None:
            self.bytes -= _size(key, kept.value)


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value)

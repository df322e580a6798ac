"""The visual-context cache."""

from collections import OrderedDict
from typing import Protocol

from gateway.settings import CacheSection


class Cache(Protocol):
    """Bytes by key. It may forget anything at any time, and must never raise to its callers."""

    async def get(self, key: str) -> bytes | None: ...

    async def set(self, key: str, value: bytes) -> None: ...

    async def close(self) -> None: ...


class MemoryCache:
    """In the process: the least recently used entries go when `max_bytes` is reached.

    Keys and values count; Python's own overhead, about 200 bytes an entry, does not.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes) -> None:
        self._forget(key)
        if _size(key, value) > self._max_bytes:
            return
        self._entries[key] = value
        self._bytes += _size(key, value)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._entries)))

    async def close(self) -> None:
        self._entries.clear()
        self._bytes = 0

    def _forget(self, key: str) -> None:
        if (value := self._entries.pop(key, None)) is not None:
            self._bytes -= _size(key, value)


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value)


def open_cache(settings: CacheSection) -> Cache:
    return MemoryCache(settings.max_bytes)

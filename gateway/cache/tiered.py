"""A cache of two tiers: one in the process in front of one that gateways share."""

from collections.abc import Sequence

from gateway.cache import Cache
from gateway.cache.memory import MemoryCache


class TieredCache:
    """The local tier has a short time to live, after which another gateway's refresh is seen."""

    def __init__(self, local: MemoryCache, shared: Cache) -> None:
        self._local = local
        self._shared = shared
        self._changes = 0

    @property
    def problem(self) -> str | None:
        return self._shared.problem

    def get_local(self, keys: Sequence[str]) -> list[bytes | None]:
        return self._local.get_local(keys)

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        found = dict(zip(keys, self._local.get_local(keys), strict=True))
        if missing := [key for key, value in found.items() if value is None]:
            changes = self._changes
            for key, value in zip(missing, await self._shared.get(missing), strict=True):
                found[key] = value
                # What was read before something changed may be older than what is there now.
                if value is not None and changes == self._changes:
                    await self._local.set(key, value)
        return [found[key] for key in keys]

    async def set(self, key: str, value: bytes, *, ttl_s: int | None = None) -> bool:
        self._changes += 1
        kept = await self._local.set(key, value, ttl_s=ttl_s)
        return await self._shared.set(key, value, ttl_s=ttl_s) or kept

    async def delete(self, keys: Sequence[str]) -> None:
        self._changes += 1
        await self._local.delete(keys)
        await self._shared.delete(keys)

    async def close(self) -> None:
        await self._local.close()
        await self._shared.close()

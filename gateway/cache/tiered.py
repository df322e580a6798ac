"""What is asked for again at once comes out of the process, the rest out of the shared cache."""

from collections.abc import Awaitable, Callable, Sequence

from gateway.cache import Cache, Found
from gateway.cache.memory import MemoryCache


class TieredCache:
    """The local tier forgets soon: what another gateway refreshed shows within its time to live."""

    def __init__(self, local: MemoryCache, shared: Cache) -> None:
        self._local = local
        self._shared = shared

    @property
    def problem(self) -> str | None:
        return self._shared.problem

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        found = dict(zip(keys, await self._local.get(keys), strict=True))
        if missing := [key for key, value in found.items() if value is None]:
            for key, value in zip(missing, await self._shared.get(missing), strict=True):
                if value is not None:
                    found[key] = value
                    await self._local.set(key, value)
        return [found[key] for key in keys]

    async def set(self, key: str, value: bytes, *, ttl_s: int | None = None) -> None:
        await self._local.set(key, value, ttl_s=ttl_s)
        await self._shared.set(key, value, ttl_s=ttl_s)

    async def delete(self, keys: Sequence[str]) -> None:
        await self._local.delete(keys)
        await self._shared.delete(keys)

    async def once(
        self,
        key: str,
        look_up: Callable[[], Awaitable[Found | None]],
        make: Callable[[], Awaitable[Found]],
    ) -> Found:
        return await self._shared.once(key, look_up, make)

    async def close(self) -> None:
        await self._local.close()
        await self._shared.close()

"""A cache that gateways share."""

from collections.abc import Awaitable, Callable, Sequence

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway import metrics
from gateway.cache import Found
from gateway.cache.leases import Leases
from gateway.cache.server import RedisServer
from gateway.settings import CacheSection


class RedisCache:
    def __init__(self, server: RedisServer, settings: CacheSection) -> None:
        self._server = server
        self._ttl_s = settings.ttl_s
        # What does not compress is written down a little longer than it is.
        self._max_bytes = 2 * settings.max_entry_bytes
        self._leases = Leases(server, lease_s=settings.lease_s, wait_s=settings.lease_wait_s)

    @property
    def problem(self) -> str | None:
        return self._server.problem

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        with metrics.cache_seconds("redis", "get"):
            values = await self._server.read(lambda client: self._read(client, keys), None)
        found = values or [None] * len(keys)
        metrics.count_hits("redis", sum(value is not None for value in found))
        return found

    async def set(self, key: str, value: bytes, *, ttl_s: int | None = None) -> None:
        if len(value) > self._max_bytes:
            return
        seconds = ttl_s or self._ttl_s
        with metrics.cache_seconds("redis", "set"):
            await self._server.write(lambda client: client.set(key, value, ex=seconds), None)

    async def delete(self, keys: Sequence[str]) -> None:
        await self._server.write(lambda client: client.unlink(*keys), None)

    async def once(
        self,
        key: str,
        look_up: Callable[[], Awaitable[Found | None]],
        make: Callable[[], Awaitable[Found]],
    ) -> Found:
        return await self._leases.once(key, look_up, make)

    async def close(self) -> None:
        await self._server.close()

    async def _read(self, client: Redis, keys: Sequence[str]) -> list[bytes | None]:
        """Never more than an entry may have, whatever was put there by others."""
        pipeline = client.pipeline(transaction=False)
        for key in keys:
            pipeline.getrange(key, 0, self._max_bytes)
        return [_value(answer) for answer in await pipeline.execute(raise_on_error=False)]


def _value(answer: bytes | Exception) -> bytes | None:
    if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
        return b"not a string"  # and so no entry: its reader deletes it
    if isinstance(answer, Exception):
        raise answer
    return answer or None

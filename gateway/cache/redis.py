"""The cache in Redis, which gateways share."""

from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import InvalidResponse, ResponseError

from gateway import metrics
from gateway.cache.client import RedisClient
from gateway.settings import CacheSection


class RedisCache:
    """Keeps entries for `cache.ttl_s` seconds; without Redis it is empty and stores nothing."""

    def __init__(self, client: RedisClient, settings: CacheSection) -> None:
        self._client = client
        self._ttl_s = settings.ttl_s
        # What does not compress is written down a little longer than it is.
        self._max_bytes = 2 * settings.max_entry_bytes

    @property
    def problem(self) -> str | None:
        return self._client.problem

    def get_local(self, keys: Sequence[str]) -> list[bytes | None]:
        return [None] * len(keys)

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        with metrics.cache_seconds("redis", "get"):
            values = await self._client.read(lambda redis: self._read(redis, keys), None)
        found = values or [None] * len(keys)
        metrics.count_hits("redis", sum(value is not None for value in found))
        return found

    async def set(self, key: str, value: bytes, *, ttl_s: int | None = None) -> bool:
        if len(value) > self._max_bytes:
            return False
        seconds = ttl_s or self._ttl_s
        with metrics.cache_seconds("redis", "set"):
            return bool(
                await self._client.write(lambda redis: redis.set(key, value, ex=seconds), False)
            )

    async def delete(self, keys: Sequence[str]) -> None:
        await self._client.write(lambda redis: redis.unlink(*keys), None)

    async def close(self) -> None:
        await self._client.close()

    async def _read(self, redis: Redis, keys: Sequence[str]) -> list[bytes | None]:
        """Read no more of a value than an entry may have, whatever others stored there."""
        pipeline = redis.pipeline(transaction=False)
        for key in keys:
            pipeline.getrange(key, 0, self._max_bytes)
        return [_value(answer) for answer in await pipeline.execute(raise_on_error=False)]


def _value(answer: object) -> bytes | None:
    if isinstance(answer, ResponseError) and str(answer).startswith("WRONGTYPE"):
        return b"not a string"  # and so no entry: its reader deletes it
    if isinstance(answer, Exception):
        raise answer
    if not isinstance(answer, bytes):
        raise InvalidResponse("GETRANGE was not answered with a string")
    return answer or None

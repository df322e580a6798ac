"""The cache that the settings ask for, and what comes with it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.cache import Cache
from gateway.cache.leases import Leases, NoLeases, RedisLeases
from gateway.cache.memory import MemoryCache
from gateway.cache.tiered import TieredCache
from gateway.settings import CacheSection

if TYPE_CHECKING:
    from gateway.cache.redis_client import RedisClient


@dataclass(frozen=True)
class Caches:
    """The cache, and what belongs to it. `shared` is `cache` without the tier in the process."""

    cache: Cache
    shared: Cache
    leases: Leases
    redis: "RedisClient | None"


async def open_caches(settings: CacheSection) -> Caches:
    """Open the cache of the settings; a Redis that cannot be reached is left out, and no error."""
    if not settings.is_shared:
        memory = MemoryCache(settings.max_bytes, ttl_s=settings.ttl_s)
        return Caches(memory, memory, NoLeases(), None)
    # A gateway without Redis is spared importing it: a quarter of its start.
    from gateway.cache.redis import RedisCache  # noqa: PLC0415
    from gateway.cache.redis_client import RedisClient  # noqa: PLC0415

    client = RedisClient(settings)
    await client.start()
    shared = RedisCache(client, settings)
    local = MemoryCache(settings.max_bytes, ttl_s=min(settings.local_ttl_s, settings.ttl_s))
    leases = RedisLeases(client, lease_s=settings.lease_s, wait_s=settings.lease_wait_s)
    return Caches(TieredCache(local, shared), shared, leases, client)

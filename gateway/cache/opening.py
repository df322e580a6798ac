"""The cache that the settings ask for, and what comes with it."""

from dataclasses import dataclass

from gateway.cache import Cache
from gateway.cache.leases import Leases, NoLeases, RedisLeases
from gateway.cache.memory import MemoryCache
from gateway.cache.redis import RedisCache
from gateway.cache.server import RedisServer
from gateway.cache.tiered import TieredCache
from gateway.settings import CacheSection


@dataclass(frozen=True)
class Caches:
    """`shared` is `cache` without what the process remembers for itself."""

    cache: Cache
    shared: Cache
    leases: Leases
    server: RedisServer | None


async def open_caches(settings: CacheSection) -> Caches:
    """A Redis that cannot be reached is left out, and no error."""
    if settings.url == "memory://":
        memory = MemoryCache(settings.max_bytes, ttl_s=settings.ttl_s)
        return Caches(memory, memory, NoLeases(), None)
    server = RedisServer(settings)
    await server.start()
    shared = RedisCache(server, settings)
    local = MemoryCache(settings.max_bytes, ttl_s=min(settings.local_ttl_s, settings.ttl_s))
    leases = RedisLeases(server, lease_s=settings.lease_s, wait_s=settings.lease_wait_s)
    return Caches(TieredCache(local, shared), shared, leases, server)

"""Which cache the settings ask for."""

from gateway.cache import Cache
from gateway.cache.memory import MemoryCache
from gateway.cache.redis import RedisCache
from gateway.cache.server import RedisServer
from gateway.cache.tiered import TieredCache
from gateway.settings import CacheSection


def open_cache(settings: CacheSection) -> Cache:
    if settings.url == "memory://":
        return MemoryCache(settings.max_bytes, ttl_s=settings.ttl_s)
    local = MemoryCache(settings.max_bytes, ttl_s=min(settings.local_ttl_s, settings.ttl_s))
    return TieredCache(local, RedisCache(RedisServer(settings), settings))

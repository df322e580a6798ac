"""Which cache the settings ask for."""

from gateway.cache import Cache
from gateway.cache.memory import MemoryCache
from gateway.cache.redis import RedisCache
from gateway.cache.server import RedisServer
from gateway.cache.tiered import TieredCache
from gateway.settings import CacheSection


def open_server(settings: CacheSection) -> RedisServer | None:
    return None if settings.url == "memory://" else RedisServer(settings)


def open_cache(settings: CacheSection, server: RedisServer | None) -> Cache:
    if server is None:
        return MemoryCache(settings.max_bytes, ttl_s=settings.ttl_s)
    local = MemoryCache(settings.max_bytes, ttl_s=min(settings.local_ttl_s, settings.ttl_s))
    return TieredCache(local, RedisCache(server, settings))

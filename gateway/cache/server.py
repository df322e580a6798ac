"""The one Redis (or Valkey) behind cache, leases and limits: bounded waits, and a breaker."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.cache.breaker import Breaker, bounded
from gateway.settings import CacheSection
from racro.contracts.keys import PROBE_KEY
from racro.servekit.settings import api_key

T = TypeVar("T")
Otherwise = TypeVar("Otherwise")
Work = Callable[["Redis"], Awaitable[T]]

_CONNECTIONS = 32
_UNREACHABLE = (TimeoutError, RedisTimeoutError, RedisConnectionError, OSError)


class RedisServer:
    """`read` and `write` never raise and never wait for longer than `cache.timeout_ms`.

    A server that cannot be reached is left out of both until it answers; one that refuses writes
    (full, read-only) is still read.
    """

    def __init__(self, settings: CacheSection) -> None:
        self._timeout_s = settings.timeout_ms / 1000
        self.client = Redis.from_pool(
            BlockingConnectionPool.from_url(
                settings.url,
                max_connections=_CONNECTIONS,
                timeout=None,
                password=api_key(settings.password_env),
                socket_connect_timeout=self._timeout_s,
                # A pooled connection that the server has closed is replaced, once.
                retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
                driver_info=None,
            )
        )
        self._reading = Breaker("reading", self._probe_reading)
        self._writing = Breaker("writing", self._probe_writing)

    @property
    def problem(self) -> str | None:
        return self._reading.problem or self._writing.problem

    async def read(self, work: Work[T], otherwise: Otherwise) -> T | Otherwise:
        return await self._try(self._reading, work, otherwise)

    async def write(self, work: Work[T], otherwise: Otherwise) -> T | Otherwise:
        return await self._try(self._writing, work, otherwise)

    async def close(self) -> None:
        await self._reading.close()
        await self._writing.close()
        await self.client.aclose()
        await self.client.connection_pool.disconnect()

    async def _try(self, breaker: Breaker, work: Work[T], otherwise: Otherwise) -> T | Otherwise:
        if breaker.problem is not None:
            return otherwise
        try:
            return await bounded(work(self.client), self._timeout_s)
        except _UNREACHABLE as error:
            self._reading.trip(error)
            self._writing.trip(error)
        except RedisError as error:
            breaker.trip(error)
        return otherwise

    async def _probe_reading(self) -> None:
        await bounded(self.client.get(PROBE_KEY), self._timeout_s)

    async def _probe_writing(self) -> None:
        await bounded(self.client.set(PROBE_KEY, b"", px=1000), self._timeout_s)

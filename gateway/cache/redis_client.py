"""The client of the Redis (or Valkey) behind cache, leases and limits: bounded waits, a breaker."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import (
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway import metrics
from gateway.cache.breaker import Breaker
from gateway.cache.connection import Peer, open_pool
from gateway.settings import CacheSection
from racro.contracts.cache_keys import PROBE_KEY
from racro.servekit.peer_timeout import peer_timeout
from racro.servekit.settings import api_key

T = TypeVar("T")
Otherwise = TypeVar("Otherwise")
Work = Callable[["Redis"], Awaitable[T]]
Mode = Literal["reading", "writing"]

_CONNECTIONS = 8
# For probes, which wait in no line.
_MORE_CONNECTIONS = 2
_CONNECT_TIMEOUT_S = 1
_TIMEOUTS = (TimeoutError, RedisTimeoutError)
_UNREACHABLE = (OSError, RedisConnectionError, InvalidResponse, *_TIMEOUTS)
_REFUSALS = (OutOfMemoryError, ReadOnlyError, NoPermissionError)
_REFUSED = ("MISCONF", "NOREPLICAS", "DENIED")


class RedisClient:
    """Runs commands that never raise and wait no longer than `cache.timeout_ms` for an answer.

    A server that cannot be reached is neither read nor written until it answers; one that refuses
    writes (full, read-only) is still read.
    """

    def __init__(self, settings: CacheSection) -> None:
        self._timeout_s = settings.timeout_ms / 1000
        self._peer = Peer()
        pool = open_pool(
            settings.url,
            self._peer,
            max_connections=_CONNECTIONS + _MORE_CONNECTIONS,
            password=api_key(settings.password_env),
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            # A pooled connection that the server has closed is replaced, once.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            driver_info=None,
        )
        self.redis = Redis.from_pool(pool)
        # Waiting for a connection is our own business, and no sign of a slow server.
        self._free = asyncio.Semaphore(_CONNECTIONS)
        self._breaker = Breaker({"reading": self._connect, "writing": self._probe_writing})

    @property
    def problem(self) -> str | None:
        return self._breaker.problem

    async def start(self) -> None:
        """Open the connections now, so that no request waits for that."""
        try:
            async with peer_timeout(_CONNECT_TIMEOUT_S):
                await self._connect()
        except (RedisError, OSError, TimeoutError) as error:
            self._leave_out(error)

    async def read(self, work: Work[T], otherwise: Otherwise) -> T | Otherwise:
        """Return what `work` reads, or `otherwise` where Redis cannot be read."""
        return await self._try("reading", work, otherwise)

    async def write(self, work: Work[T], otherwise: Otherwise) -> T | Otherwise:
        """Return the result of `work`, which writes, or `otherwise` where it cannot."""
        return await self._try("writing", work, otherwise)

    async def close(self) -> None:
        await self._breaker.close()
        with contextlib.suppress(RedisError, OSError):
            await self.redis.aclose()
        self._peer.close()

    async def _try(self, mode: Mode, work: Work[T], otherwise: Otherwise) -> T | Otherwise:
        if self._breaker.is_open(mode):
            return otherwise
        async with self._free:
            # It may have opened while this one waited for a connection.
            if self._breaker.is_open(mode):
                return otherwise
            try:
                async with peer_timeout(self._timeout_s):
                    return await work(self.redis)
            except (RedisError, OSError, TimeoutError) as error:
                if _is_refusal(error):
                    self._breaker.trip([mode], "refused", error)
                elif isinstance(error, _UNREACHABLE):
                    self._leave_out(error)
                else:
                    # What is wrong with one key is no reason to leave the others.
                    metrics.CACHE_DAMAGED.inc()
            except Exception as error:  # noqa: BLE001 - whatever a broken answer does to its parser
                self._leave_out(error)
        return otherwise

    def _leave_out(self, error: BaseException) -> None:
        problem = "no answer in time" if isinstance(error, _TIMEOUTS) else "cannot be reached"
        self._breaker.trip(["reading", "writing"], problem, error)

    async def _connect(self) -> None:
        await asyncio.gather(*(self.redis.get(PROBE_KEY) for _ in range(_CONNECTIONS)))

    async def _probe_writing(self) -> None:
        await self.redis.set(PROBE_KEY, b"", px=1000)


def _is_refusal(error: BaseException) -> bool:
    return isinstance(error, _REFUSALS) or str(error).startswith(_REFUSED)

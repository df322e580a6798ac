"""Rate limits of each tenant: requests and images a minute, and concurrent requests."""

import asyncio
import math
import time
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from gateway.tenancy.tenants import Tenant
from racro.contracts.cache_keys import LIMITS_PREFIX
from racro.contracts.errors import InvalidRequest, RateLimited
from racro.servekit.responses import Headers

if TYPE_CHECKING:
    from gateway.cache.redis_client import RedisClient

Kind = Literal["requests", "images"]
Operation = Literal["hit", "test"]

_MINUTE_S = 60
_MOST_TRIES = 3


class _Window(NamedTuple):
    """The state of a sliding window. `reset`: seconds until one more is allowed."""

    allowed: bool
    remaining: int
    reset: float


class Rates:
    """Counts requests and images in Redis for all gateways together, or else in this process.

    Concurrent requests are always counted in this process.
    """

    def __init__(self, client: "RedisClient | None") -> None:
        self._client = client
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = None if client is None else _shared(client)
        self._running: Counter[str] = Counter()
        # The event loop itself holds no task that is waited for by nobody.
        self._counting: set[asyncio.Task[None]] = set()

    def check_possible(self, tenant: Tenant, kind: Kind, cost: int) -> None:
        """Raises InvalidRequest where `cost` is more than the limit itself."""
        amount = _amount(tenant, kind)
        if amount is not None and cost > amount:
            raise InvalidRequest(f"{cost} {kind}; {kind}_per_minute = {amount} of your key")

    async def check(self, tenant: Tenant, kind: Kind, cost: int) -> None:
        """Raises RateLimited where too few are left for `cost`, and counts nothing.

        Of a cost above the limit, what is only the most that it may be, the limit must be left.
        """
        amount = _amount(tenant, kind)
        if amount is not None:
            await self._count(tenant, kind, min(cost, amount), operation="test")

    async def take(self, tenant: Tenant, kind: Kind, cost: int = 1) -> Headers:
        """Count `cost` requests or images, and return headers that tell how many are left.

        Raises RateLimited, with these headers, where too few are left.
        """
        return await self._count(tenant, kind, cost, operation="hit")

    async def count(self, tenant: Tenant, kind: Kind, number: int) -> None:
        """Count what is done already: as many as the limit has room for. It refuses nothing.

        They are counted even if the caller is cancelled meanwhile.
        """
        amount = _amount(tenant, kind)
        if amount is None or number < 1:
            return
        counting = asyncio.create_task(
            self._count_what_fits(RateLimitItemPerMinute(amount), tenant, kind, number)
        )
        self._counting.add(counting)
        counting.add_done_callback(self._counting.discard)
        await asyncio.shield(counting)

    async def _count_what_fits(
        self, item: RateLimitItemPerMinute, tenant: Tenant, kind: Kind, number: int
    ) -> None:
        for _ in range(_MOST_TRIES):
            window = await self._window(item, tenant, kind, 1, "test")
            fits = min(number, window.remaining)
            # Others may take what is left between the two.
            if not fits or (await self._window(item, tenant, kind, fits, "hit")).allowed:
                return

    async def _count(self, tenant: Tenant, kind: Kind, cost: int, operation: Operation) -> Headers:
        amount = _amount(tenant, kind)
        if amount is None:
            return []
        window = await self._window(RateLimitItemPerMinute(amount), tenant, kind, cost, operation)
        headers = [
            (f"x-ratelimit-limit-{kind}".encode(), str(amount).encode()),
            (f"x-ratelimit-remaining-{kind}".encode(), str(window.remaining).encode()),
            (f"x-ratelimit-reset-{kind}".encode(), f"{window.reset:.1f}s".encode()),
        ]
        if not window.allowed:
            # The window moves on at the limit's own pace, and is empty after a minute.
            wait_s = min(_MINUTE_S, math.ceil(window.reset + (cost - 1) * _MINUTE_S / amount))
            raise RateLimited(
                f"{kind}_per_minute = {amount} of your key",
                retry_after_s=max(1, wait_s),
                headers=headers,
            )
        return headers

    def begin(self, tenant: Tenant) -> None:
        """Count a request that starts. Raises RateLimited at the limit of concurrent requests."""
        most = tenant.may.concurrency
        if most is not None and self._running[tenant.name] >= most:
            raise RateLimited(f"concurrency = {most} of your key")
        self._running[tenant.name] += 1

    def end(self, tenant: Tenant) -> None:
        """Count a request that has ended."""
        self._running[tenant.name] -= 1

    async def _window(
        self,
        item: RateLimitItemPerMinute,
        tenant: Tenant,
        kind: Kind,
        cost: int,
        operation: Operation,
    ) -> _Window:
        asked = (item, tenant.counted_as, kind, cost, operation)
        shared = self._shared
        if self._client is not None and shared is not None:
            window = await self._client.write(lambda _: _window(shared, *asked), None)
            if window is not None:
                return window
        return await _window(self._local, *asked)


def _amount(tenant: Tenant, kind: Kind) -> int | None:
    may = tenant.may
    return may.requests_per_minute if kind == "requests" else may.images_per_minute


def _shared(client: "RedisClient") -> SlidingWindowCounterRateLimiter:
    storage = RedisStorage(
        "async+redis://",
        implementation="redispy",
        key_prefix=LIMITS_PREFIX,
        connection_pool=client.redis.connection_pool,  # type: ignore[arg-type] # as documented
    )
    return SlidingWindowCounterRateLimiter(storage)


async def _window(
    limiter: SlidingWindowCounterRateLimiter,
    item: RateLimitItemPerMinute,
    tenant: str,
    kind: Kind,
    cost: int,
    operation: Operation,
) -> _Window:
    ask = limiter.hit if operation == "hit" else limiter.test
    allowed = await ask(item, kind, tenant, cost=cost)
    stats = await limiter.get_window_stats(item, kind, tenant)
    return _Window(allowed, stats.remaining, max(0.0, stats.reset_time - time.time()))

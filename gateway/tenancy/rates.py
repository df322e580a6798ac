"""Requests and images a minute, and requests at a time, of each tenant."""

import math
import time
from collections import Counter
from typing import Literal, NamedTuple

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from gateway.cache.server import RedisServer
from gateway.tenancy.tenants import Tenant
from racro.contracts.cache_keys import LIMITS_PREFIX
from racro.contracts.errors import InvalidRequest, RateLimited
from racro.servekit.responses import Headers

Kind = Literal["requests", "images"]


_MINUTE_S = 60


class _Window(NamedTuple):
    """`reset`: seconds until there is room for one more."""

    let_in: bool
    remaining: int
    reset: float


class Rates:
    """Counted in Redis for all gateways together; while there is none, each counts for itself.

    How many requests run at a time each gateway counts for itself.
    """

    def __init__(self, server: RedisServer | None) -> None:
        self._server = server
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = None if server is None else _shared(server)
        self._running: Counter[str] = Counter()

    async def take(self, tenant: Tenant, kind: Kind, cost: int = 1) -> Headers:
        """Headers that tell what is left. Raises RateLimited, with them, where too little is, and
        InvalidRequest where it never would be enough.
        """
        may = tenant.may
        amount = may.requests_per_minute if kind == "requests" else may.images_per_minute
        if amount is None:
            return []
        if cost > amount:
            raise InvalidRequest(f"{cost} {kind}; {kind}_per_minute = {amount} of your key")
        window = await self._hit(RateLimitItemPerMinute(amount), tenant, kind, cost)
        headers = [
            (f"x-ratelimit-limit-{kind}".encode(), str(amount).encode()),
            (f"x-ratelimit-remaining-{kind}".encode(), str(window.remaining).encode()),
            (f"x-ratelimit-reset-{kind}".encode(), f"{window.reset:.1f}s".encode()),
        ]
        if not window.let_in:
            # Room comes back at the limit's own pace, and after a minute at the latest.
            wait_s = min(_MINUTE_S, math.ceil(window.reset + (cost - 1) * _MINUTE_S / amount))
            raise RateLimited(
                f"{kind}_per_minute = {amount} of your key",
                retry_after_s=max(1, wait_s),
                headers=headers,
            )
        return headers

    def begin(self, tenant: Tenant) -> None:
        """Raises RateLimited where as many requests run as may."""
        most = tenant.may.concurrency
        if most is not None and self._running[tenant.name] >= most:
            raise RateLimited(f"concurrency = {most} of your key")
        self._running[tenant.name] += 1

    def end(self, tenant: Tenant) -> None:
        self._running[tenant.name] -= 1

    async def _hit(
        self, item: RateLimitItemPerMinute, tenant: Tenant, kind: Kind, cost: int
    ) -> _Window:
        shared = self._shared
        if self._server is not None and shared is not None:
            window = await self._server.write(
                lambda _: _hit(shared, item, tenant.counted_as, kind, cost), None
            )
            if window is not None:
                return window
        return await _hit(self._local, item, tenant.counted_as, kind, cost)


def _shared(server: RedisServer) -> SlidingWindowCounterRateLimiter:
    storage = RedisStorage(
        "async+redis://",
        implementation="redispy",
        key_prefix=LIMITS_PREFIX,
        connection_pool=server.client.connection_pool,  # type: ignore[arg-type] # as documented
    )
    return SlidingWindowCounterRateLimiter(storage)


async def _hit(
    limiter: SlidingWindowCounterRateLimiter,
    item: RateLimitItemPerMinute,
    tenant: str,
    kind: Kind,
    cost: int,
) -> _Window:
    let_in = await limiter.hit(item, kind, tenant, cost=cost)
    stats = await limiter.get_window_stats(item, kind, tenant)
    return _Window(let_in, stats.remaining, max(0.0, stats.reset_time - time.time()))

"""Operations on the shared cache: counting its entries, and purging them."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway.cache.entry import Entry, Kept, decode_any
from gateway.settings import CacheSection
from racro.contracts.cache_keys import VISUAL_CONTEXTS
from racro.servekit.settings import api_key

_KEYS_AT_A_TIME = 500
_TIMEOUT_S = 10


@dataclass
class Holdings:
    """The contents of a cache: `entries` by model and revision, `damaged` that nothing can read."""

    entries: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: int = 0
    damaged: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Matching:
    """Which entries to purge; a criterion that is None matches all."""

    revision: str | None = None
    tenant_tag: str | None = None
    image: str | None = None

    def __call__(self, value: Entry | Kept) -> bool:
        return (
            self.revision in {None, value.revision}
            and self.tenant_tag in {None, value.tenant}
            and (self.image is None or self.image in value.images)
        )


def open_client(settings: CacheSection) -> Redis:
    return Redis.from_url(
        settings.url, password=api_key(settings.password_env), socket_timeout=_TIMEOUT_S
    )


async def holdings(client: Redis, settings: CacheSection) -> Holdings:
    """Count what the cache holds."""
    found = Holdings()
    async for _, data, value in _values(client, settings):
        found.bytes += len(data)
        match value:
            case Entry():
                found.entries[value.model, value.revision] += 1
            case Kept():
                found.kept += 1
            case None:
                found.damaged += 1
    return found


async def purge(client: Redis, settings: CacheSection, matching: Matching) -> int:
    """Delete the matching entries, and all damaged ones; return how many were deleted.

    Gateways may still have copies of their own, for `local_ttl_s`.
    """
    deleted = 0
    async for name, _, value in _values(client, settings):
        if value is None or matching(value):
            deleted += await client.unlink(name)
    return deleted


async def _values(
    client: Redis, settings: CacheSection
) -> AsyncIterator[tuple[bytes, bytes, Entry | Kept | None]]:
    async for name in client.scan_iter(VISUAL_CONTEXTS, count=_KEYS_AT_A_TIME):
        try:
            data = await client.getrange(name, 0, 2 * settings.max_entry_bytes)
        except ResponseError:  # another type
            data = b""
        key = name.decode(errors="replace")
        yield name, data, decode_any(key, data, max_bytes=settings.max_entry_bytes)

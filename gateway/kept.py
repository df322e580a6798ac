"""Visual contexts that are perceived now and answered from later, by their ids."""

import secrets
import time
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

from gateway.cache import Cache
from gateway.cache.entry import Kept, decode, encode
from gateway.images import Image
from gateway.settings import CacheSection
from gateway.tenants import Tenant
from racro.contracts.errors import UnknownVisualContext, UpstreamUnavailable
from racro.contracts.keys import kept_context_key
from racro.contracts.solve import VisualContext


class Receipt(NamedTuple):
    """`expires_at`: seconds since 1970."""

    id: str
    expires_at: int


class KeptContexts:
    def __init__(self, cache: Cache, settings: CacheSection) -> None:
        self._cache = cache
        self._ttl_s = min(settings.context_ttl_s, settings.ttl_s)
        self._max_bytes = settings.max_entry_bytes

    async def keep(
        self, tenant: Tenant, context: VisualContext, images: Sequence[Image]
    ) -> Receipt:
        """Raises UpstreamUnavailable where the cache does not take it: an id is a promise."""
        identifier = f"vc-{secrets.token_hex(16)}"
        key = kept_context_key(tenant.tag, identifier)
        digests = tuple(image.digest for image in images)
        kept = Kept(context.model_dump_json(), context.revision, tenant.tag, digests)
        expires_at = int(time.time()) + self._ttl_s
        await self._cache.set(key, encode(key, kept), ttl_s=self._ttl_s)
        if self._cache.problem is not None or await self._cache.get([key]) == [None]:
            raise UpstreamUnavailable("the cache cannot keep a visual context now")
        return Receipt(identifier, expires_at)

    async def find(self, tenant: Tenant, identifier: str) -> VisualContext:
        """Raises UnknownVisualContext, also for an id of another tenant."""
        key = kept_context_key(tenant.tag, identifier)
        [data] = await self._cache.get([key])
        kept = data and decode(Kept, key, data, max_bytes=self._max_bytes)
        try:
            if kept:
                context = VisualContext.model_validate_json(kept.context)
                return context.model_copy(update={"cache": "hit"})
        except ValidationError:
            pass  # kept by another release
        raise UnknownVisualContext(
            "no such visual context, or it has expired", param="visual_context"
        )

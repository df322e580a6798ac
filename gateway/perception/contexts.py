"""Visual contexts that are stored under an id, to be answered from later."""

import secrets
import time
from typing import NamedTuple

from gateway.cache import Cache
from gateway.cache.entry import Kept, decode, encode
from gateway.perception.request import Perception
from gateway.settings import CacheSection
from gateway.tenancy.tenants import Tenant
from racro.contracts.cache_keys import kept_context_key
from racro.contracts.errors import UnknownVisualContext, UpstreamUnavailable
from racro.contracts.perception import normalise_question
from racro.contracts.solve_api import VisualContext


class Receipt(NamedTuple):
    """The id of a stored visual context, and when it expires, in seconds since 1970."""

    id: str
    expires_at: int


class VisualContextStore:
    """Stores visual contexts in the cache that gateways share, not in the tier of the process.

    So an id from one gateway is valid at all of them, and expires at all of them.
    """

    def __init__(self, shared: Cache, settings: CacheSection) -> None:
        self._shared = shared
        self._ttl_s = min(settings.context_ttl_s, settings.ttl_s)
        self._max_bytes = settings.max_entry_bytes

    async def add(self, tenant: Tenant, perception: Perception, *, question: str | None) -> Receipt:
        """Store what was perceived for `question`.

        Raises UpstreamUnavailable where the cache does not take it: an id is a promise.
        """
        context = perception.context
        identifier = f"vc-{secrets.token_hex(16)}"
        key = kept_context_key(tenant.tag, identifier)
        kept = Kept(
            context=context.model_dump_json(),
            question=question,
            revision=context.revision,
            tenant=tenant.tag,
            images=perception.image_digests,
        )
        expires_at = int(time.time()) + self._ttl_s
        value = encode(key, kept, max_bytes=self._max_bytes)
        if value is None or not await self._shared.set(key, value, ttl_s=self._ttl_s):
            raise UpstreamUnavailable("the cache does not take a visual context now")
        return Receipt(identifier, expires_at)

    async def get(self, tenant: Tenant, identifier: str, *, question: str) -> VisualContext:
        """Return a stored visual context, without a tentative response to another question.

        Raises UnknownVisualContext, also for an id of another tenant, and UpstreamUnavailable where
        the cache cannot tell.
        """
        key = kept_context_key(tenant.tag, identifier)
        [value] = await self._shared.get([key])
        if value is None and self._shared.problem is not None:
            raise UpstreamUnavailable("the cache cannot be asked for a visual context now")
        kept = None if value is None else decode(Kept, key, value, max_bytes=self._max_bytes)
        if kept is None:
            raise UnknownVisualContext(
                "no such visual context, or it has expired", param="visual_context"
            )
        context = VisualContext.model_validate_json(kept.context)
        same = kept.question is not None and normalise_question(kept.question) == question
        tentative = context.tentative if same else None
        return context.model_copy(update={"cache": "hit", "tentative": tentative})

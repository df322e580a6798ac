"""The parts of visual contexts as entries of the cache."""

import asyncio
from collections.abc import Mapping, Sequence

from gateway import metrics
from gateway.cache import Cache
from gateway.cache.entry import Entry, decode, encode
from gateway.perception.request import PerceptionRequest
from racro.contracts.cache_keys import visual_context_key
from racro.contracts.completion import RESULTS
from racro.contracts.perception import Delta, OnDelta, Part, PerceiveOptions, ignore_delta


class PartCache:
    """Reads and writes captions and tentative responses, each under a key of its own.

    Everything that shapes a part is in its key, `options` of the captioner's call included.
    """

    def __init__(self, cache: Cache, *, max_entry_bytes: int) -> None:
        self._cache = cache
        self._max_entry_bytes = max_entry_bytes

    def key(
        self, request: PerceptionRequest, part: Part, fingerprint: str, options: PerceiveOptions
    ) -> str:
        """Return the key of a part as the captioner of `fingerprint` generates it."""
        return visual_context_key(
            tenant=request.tenant.tag,
            image_digests=list(request.image_digests),
            question=request.normalised_question,
            fingerprint=fingerprint,
            options=options,
            part=part,
        )

    async def get_local(self, keys: Mapping[Part, str], on_delta: OnDelta) -> dict[Part, Entry]:
        """Return the parts that this process holds itself; `on_delta` gets their texts."""
        return await self._decode(keys, self._cache.get_local(list(keys.values())), on_delta)

    async def get(self, keys: Mapping[Part, str], on_delta: OnDelta) -> dict[Part, Entry]:
        """Return the parts that any tier of the cache holds; `on_delta` gets their texts."""
        return await self._decode(keys, await self._cache.get(list(keys.values())), on_delta)

    async def peek(self, keys: Mapping[Part, str]) -> dict[Part, Entry]:
        """Return the parts as `get`, where no call of the captioner is saved by it."""
        values = await self._cache.get(list(keys.values()))
        return await self._decode(keys, values, ignore_delta, saves=False)

    async def set(
        self,
        request: PerceptionRequest,
        entries: Mapping[Part, Entry],
        fingerprint: str,
        options: PerceiveOptions,
    ) -> None:
        """Store parts under the fingerprint that the captioner answered with."""
        writes = []
        for part, entry in entries.items():
            key = self.key(request, part, fingerprint, options)
            value = encode(key, entry, max_bytes=self._max_entry_bytes)
            if value is not None:
                metrics.count_bytes("written", len(value))
                writes.append(self._cache.set(key, value))
        await asyncio.gather(*writes)

    async def _decode(
        self,
        keys: Mapping[Part, str],
        values: Sequence[bytes | None],
        on_delta: OnDelta,
        *,
        saves: bool = True,
    ) -> dict[Part, Entry]:
        """Decode the values of `keys`; an entry that cannot be read is deleted."""
        found: dict[Part, Entry] = {}
        damaged = []
        for (part, key), value in zip(keys.items(), values, strict=True):
            if value is None:
                continue
            metrics.count_bytes("read", len(value))
            entry = decode(Entry, key, value, max_bytes=self._max_entry_bytes)
            # Version 0.1 stored texts that their engine had aborted, too.
            if entry is None or entry.finish_reason not in RESULTS:
                damaged.append(key)
                continue
            if saves:
                tokens = entry.prompt_tokens + entry.completion_tokens
                metrics.count_saved(entry.seconds, tokens)
            found[part] = entry
            await on_delta(Delta(part=part, text=entry.text))
        if damaged:
            metrics.CACHE_DAMAGED.inc(len(damaged))
            await self._cache.delete(damaged)
        return found

"""Perception: from images and a question to a visual context, through cache and single flight."""

import asyncio
import copy
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from gateway import metrics
from gateway.cache import Cache
from gateway.cache.entry import Entry
from gateway.cache.leases import Leases
from gateway.perception.call_options import CallOptions
from gateway.perception.captioners import Captioners
from gateway.perception.flight import FlightReference, Flights
from gateway.perception.generate import PartGenerator
from gateway.perception.part_cache import PartCache
from gateway.perception.request import Perception, PerceptionRequest
from gateway.perception.result import PartsResult, assemble
from gateway.tenancy.fair_queue import FairQueue
from gateway.tenancy.rates import Rates
from racro.contracts.errors import RacroError
from racro.contracts.perception import Delta, OnDelta, Part, ignore_delta
from racro.servekit.context import TimeLimit
from racro.servekit.tracing import step

_Reference = FlightReference[Delta, PartsResult]


class Perceiver:
    """Perceives images: out of the cache, by a flight in progress, or by the captioner.

    Calls of the captioner have their turn in `queue`, and their images count in `rates`.
    `options` limit what the captioner does, `max_timeout_s` (seconds) a call of it, and
    `max_entry_bytes` what is stored.
    """

    def __init__(
        self,
        captioners: Captioners,
        cache: Cache,
        leases: Leases,
        queue: FairQueue,
        rates: Rates,
        *,
        options: CallOptions,
        max_timeout_s: float,
        max_entry_bytes: int,
    ) -> None:
        self._options = options
        self._captioners = captioners
        self._leases = leases
        self._cache = PartCache(cache, max_entry_bytes=max_entry_bytes)
        self._generator = PartGenerator(
            captioners,
            self._cache,
            self._options,
            queue,
            rates,
            limit=TimeLimit(max_timeout_s, "limits.max_timeout_s"),
        )
        self._flights: Flights[Delta, PartsResult] = Flights()

    async def perceive(
        self, request: PerceptionRequest, on_delta: OnDelta = ignore_delta
    ) -> Perception:
        """Return the visual context of a request; `on_delta` gets its texts as they come.

        Raises what the captioner raised for its caption, with an image named by the client's own
        field; a tentative response that failed is left out and marked.
        """
        with step("perceive") as span:
            try:
                perception = await self._perceive(request, on_delta)
            except RacroError as error:
                if (param := request.client_field(error.param)) is None:
                    raise
                # A copy: others may follow the same flight, with fields of their own.
                named = copy.copy(error)
                named.param = param
                named.image_index = request.image_index(error.param)
                raise named from error
            span.set_attribute("racro.cache", perception.context.cache)
        metrics.count_result(perception.context.cache, tenant=request.tenant.label)
        return perception

    async def _perceive(self, request: PerceptionRequest, on_delta: OnDelta) -> Perception:
        keys = await self._keys(request)
        cached: dict[Part, Entry] = {}
        if request.cache == "use":
            cached = await self._cache.get_local(keys, on_delta)
        missing = {part: key for part, key in keys.items() if part not in cached}
        with ExitStack() as held:
            references, joined = self._join_or_start(request, missing)
            for reference in references:
                held.enter_context(reference)
            outcomes = await _follow_all(references, on_delta)
        return assemble(request, cached, outcomes, joined=joined)

    async def recall(self, request: PerceptionRequest) -> Perception | None:
        """Return the perception that the cache has; None where it has no caption.

        Raises what asking the captioner who it is raises.
        """
        found = await self._cache.peek(await self._keys(request))
        return assemble(request, found, [], joined=False) if "caption" in found else None

    async def _keys(self, request: PerceptionRequest) -> dict[Part, str]:
        """Return the keys of those parts of a request that its captioner has."""
        identity = await self._captioners.identity(request.image_digests[0])
        options = self._options.of(request, identity)
        return {
            part: self._cache.key(request, part, identity.fingerprint, options)
            for part in request.parts
            if part in identity.parts
        }

    def _join_or_start(
        self, request: PerceptionRequest, missing: Mapping[Part, str]
    ) -> tuple[list[_Reference], bool]:
        """Return references to flights that will bring the missing parts, and whether none is new.

        Bypass and refresh want an answer of their own: they do not join, and cannot be joined.
        """
        if not missing:
            return [], False
        if request.cache != "use":
            call = partial(self._generator.generate, request, list(missing))
            return [self._flights.start([], call)], False
        # Tenants that share a cache share no call: one must not fail by the limits of another.
        flights = {part: f"{request.tenant.name} {key}" for part, key in missing.items()}
        joined = self._flights.join(flights.values())
        awaited = {key for reference in joined for key in reference.flight.keys}
        rest = {part: key for part, key in missing.items() if flights[part] not in awaited}
        if not rest:
            return joined, True
        call = partial(self._fetch_or_generate, request, rest)
        started = self._flights.start([flights[part] for part in rest], call)
        return [*joined, started], False

    async def _fetch_or_generate(
        self, request: PerceptionRequest, keys: Mapping[Part, str], on_delta: OnDelta
    ) -> PartsResult:
        """Fetch parts from the shared cache, or have them generated by one of all gateways."""
        fetch = _Fetch(self._cache, self._generator, request, keys, on_delta)
        lease = next(iter(keys.values()))
        result, waited = await self._leases.once(lease, fetch.look_up, fetch.generate)
        return replace(result, source="coalesced") if waited else result


class _Fetch:
    """Fetches parts from the shared cache, and remembers what it has found between look-ups."""

    def __init__(
        self,
        cache: PartCache,
        generator: PartGenerator,
        request: PerceptionRequest,
        keys: Mapping[Part, str],
        on_delta: OnDelta,
    ) -> None:
        self._cache = cache
        self._generator = generator
        self._request = request
        self._missing = dict(keys)
        self._on_delta = on_delta
        self._found: dict[Part, Entry] = {}

    async def look_up(self) -> PartsResult | None:
        """Return all parts if the cache has those that were missing, else None."""
        found = await self._cache.get(self._missing, self._on_delta)
        self._found |= found
        self._missing = {part: key for part, key in self._missing.items() if part not in found}
        return None if self._missing else PartsResult(self._found, "hit")

    async def generate(self) -> PartsResult:
        """Return all parts, with those that are missing generated by the captioner."""
        result = await self._generator.generate(self._request, list(self._missing), self._on_delta)
        return replace(result, entries=self._found | result.entries)


async def _follow_all(
    references: Sequence[_Reference], on_delta: OnDelta
) -> list[PartsResult | RacroError]:
    """Return the result of each flight, or the error that it ended with."""
    following = (reference.follow(on_delta) for reference in references)
    outcomes = await asyncio.gather(*following, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, RacroError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, PartsResult | RacroError)]

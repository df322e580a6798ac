"""Perception: from images and a question to a visual context, through cache and single flight."""

import asyncio
import copy
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import perf_counter

from gateway import metrics
from gateway.cache import Cache
from gateway.cache.entry import Entry, decode, encode
from gateway.cache.leases import Leases
from gateway.images.loader import Image, field_of_all
from gateway.perception.captioner import CaptionerClient
from gateway.perception.flight import Flight, Flights
from racro.contracts.cache_keys import visual_context_key
from racro.contracts.errors import RacroError, UpstreamError
from racro.contracts.perception import (
    Delta,
    Part,
    PartFailure,
    PerceiveOptions,
    PerceiveRequest,
    PerceiveResponse,
    Usage,
    normalise_question,
)
from racro.contracts.solve import CacheMode, CacheResult, VisualContext
from racro.servekit.tracing import step

Listen = Callable[[Delta], Awaitable[None]]

# How the captioner calls an image of its request.
_CAPTIONERS_IMAGE = re.compile(r"images(?:\[([0-9]{1,4})\])?")


async def hear_nothing(_: Delta) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is to be perceived: these images, for this question (None: a general caption).

    `tenant` is who looks, as it stands in cache keys: one tenant's captions are never another's.
    """

    tenant: str
    images: Sequence[Image]
    question: str | None
    tentative: bool = False
    cache: CacheMode = "use"


@dataclass(frozen=True)
class Perception:
    """A visual context and the tokens that this request spent on it."""

    context: VisualContext
    usage: Usage


@dataclass(frozen=True)
class _Brought:
    """What one flight brought and from where, and the tokens spent on it here."""

    entries: dict[Part, Entry]
    came_from: CacheResult
    failed: dict[Part, PartFailure] = field(default_factory=dict)
    spent: Usage = field(default_factory=Usage)


class Perceiver:
    def __init__(
        self,
        captioner: CaptionerClient,
        cache: Cache,
        leases: Leases,
        *,
        max_tokens: int,
        max_timeout_s: float,
        max_entry_bytes: int,
    ) -> None:
        self._captioner = captioner
        self._cache = cache
        self._leases = leases
        self._options = PerceiveOptions(max_tokens=max_tokens)
        self._max_timeout_s = max_timeout_s
        self._max_entry_bytes = max_entry_bytes
        self._flights: Flights[Delta, _Brought] = Flights()

    async def perceive(self, look: Look, listen: Listen = hear_nothing) -> Perception:
        """`listen` hears the texts as they come, from wherever they come.

        Raises what the captioner raised for its caption, an image named by the client's own field;
        a tentative response that failed is left out and marked.
        """
        with step("perceive") as span:
            try:
                perception = await self._perceive(look, listen)
            except RacroError as error:
                if (param := _clients_field(error.param, look.images)) is None:
                    raise
                # A copy: others may follow the same flight, with fields of their own.
                named = copy.copy(error)
                named.param = param
                raise named from error
            span.set_attribute("racro.cache", perception.context.cache)
        metrics.count_result(perception.context.cache)
        return perception

    async def _perceive(self, look: Look, listen: Listen) -> Perception:
        identity = await self._captioner.identity()
        wanted = [part for part in _parts_of(look) if part in identity.parts]
        keys = {part: self._key(look, part, identity.fingerprint) for part in wanted}

        cached: dict[Part, Entry] = {}
        if look.cache == "use":
            near = self._cache.near(list(keys.values()))
            cached = await self._read(keys, near, listen)
        flights, joined = self._board(
            look, {part: key for part, key in keys.items() if part not in cached}
        )
        with ExitStack() as seats:
            for flight in flights:
                seats.enter_context(flight.seat())
            outcomes = await _follow_all(flights, listen)

        return _assemble(look, cached, outcomes, joined=joined)

    def _key(self, look: Look, part: Part, fingerprint: str) -> str:
        return visual_context_key(
            tenant=look.tenant,
            image_digests=[image.digest for image in look.images],
            question=_question(look),
            fingerprint=fingerprint,
            options=self._options,
            part=part,
        )

    async def _read(
        self, keys: dict[Part, str], values: Sequence[bytes | None], say: Listen
    ) -> dict[Part, Entry]:
        """What the cache's `values` of `keys` hold, told to `say`."""
        found: dict[Part, Entry] = {}
        damaged = []
        for (part, key), value in zip(keys.items(), values, strict=True):
            if value is None:
                continue
            metrics.count_bytes("read", len(value))
            entry = decode(Entry, key, value, max_bytes=self._max_entry_bytes)
            if entry is None:
                damaged.append(key)
                continue
            metrics.count_saved(entry.seconds, entry.prompt_tokens + entry.completion_tokens)
            found[part] = entry
            await say(Delta(part=part, text=entry.text))
        if damaged:
            metrics.CACHE_DAMAGED.inc(len(damaged))
            await self._cache.delete(damaged)
        return found

    def _board(
        self, look: Look, missing: dict[Part, str]
    ) -> tuple[list[Flight[Delta, _Brought]], bool]:
        """Flights that will bring the missing parts, and whether all of them were under way.

        Bypass and refresh want an answer of their own: they neither join nor are joined.
        """
        if look.cache != "use":
            return [Flight(lambda say: self._ask(look, [*missing], say))] if missing else [], False
        boarded = {part: self._flights.find(key) for part, key in missing.items()}
        flights = list(dict.fromkeys(flight for flight in boarded.values() if flight is not None))
        unclaimed = {part: missing[part] for part, flight in boarded.items() if flight is None}
        if unclaimed:
            keys = list(unclaimed.values())
            flights.append(self._flights.start(keys, lambda say: self._fly(look, unclaimed, say)))
        return flights, bool(flights) and not unclaimed

    async def _fly(self, look: Look, keys: dict[Part, str], say: Listen) -> _Brought:
        """What `keys` stand for: out of the shared cache, or by one captioner call of all gateways
        that share it.
        """
        found: dict[Part, Entry] = {}
        came_from: CacheResult = "hit"

        async def look_up() -> _Brought | None:
            nonlocal came_from
            wanted = {part: key for part, key in keys.items() if part not in found}
            values = await self._cache.get(list(wanted.values()))
            found.update(await self._read(wanted, values, say))
            if len(found) == len(keys):
                return _Brought(found, came_from)
            came_from = "coalesced"  # what comes now has been waited for
            return None

        async def make() -> _Brought:
            made = await self._ask(look, [part for part in keys if part not in found], say)
            return replace(made, entries=found | made.entries)

        return await self._leases.once(next(iter(keys.values())), look_up, make)

    async def _ask(self, look: Look, parts: Sequence[Part], say: Listen) -> _Brought:
        """One captioner call for all `parts`; what it brings is stored before it is told.

        It has the longest deadline a follower may have: followers leave at their own.
        """
        request = await asyncio.to_thread(self._request, look, parts)
        started = perf_counter()
        with metrics.Stopwatch().stage("captioner"):
            response = await self._captioner.perceive(request, say, timeout_s=self._max_timeout_s)
        seconds = (perf_counter() - started) / len(parts)
        spent = _usage_of(response)
        metrics.count_tokens("captioner", spent)
        if (await self._captioner.identity()).fingerprint != response.fingerprint:
            self._captioner.forget_identity()
        entries = dict(_entries(look, parts, response, seconds))
        if look.cache != "bypass":
            await self._store(look, entries, response.fingerprint)
        return _Brought(entries, "miss", response.failed, spent)

    def _request(self, look: Look, parts: Sequence[Part]) -> PerceiveRequest:
        return PerceiveRequest(
            question=_question(look),
            images=tuple(image.data_url() for image in look.images),
            parts=tuple(parts),
            options=self._options,
        )

    async def _store(self, look: Look, entries: dict[Part, Entry], fingerprint: str) -> None:
        """Under the fingerprint that the captioner answered with, whatever it was asked under."""
        stored = []
        for part, entry in entries.items():
            key = self._key(look, part, fingerprint)
            value = encode(key, entry, max_bytes=self._max_entry_bytes)
            if value is not None:
                metrics.count_bytes("written", len(value))
                stored.append(self._cache.set(key, value))
        await asyncio.gather(*stored)


def _clients_field(param: str | None, images: Sequence[Image]) -> str | None:
    """The client's field for an image that the captioner names, None if it names none."""
    found = _CAPTIONERS_IMAGE.fullmatch(param or "")
    if found is None:
        return None
    index = found[1]
    if index is None or int(index) >= len(images):
        return field_of_all(images[0].param)
    return images[int(index)].param


def _parts_of(look: Look) -> tuple[Part, ...]:
    return ("caption", "tentative") if look.tentative and _question(look) else ("caption",)


def _question(look: Look) -> str | None:
    return normalise_question(look.question or "") or None


def _usage_of(response: PerceiveResponse) -> Usage:
    generations = (*response.caption, *response.tentative)
    return sum((generation.usage for generation in generations), Usage())


def _entries(
    look: Look, parts: Sequence[Part], response: PerceiveResponse, seconds: float
) -> Iterable[tuple[Part, Entry]]:
    """None for a part that failed."""
    for part in parts:
        for generation in response.generations(part)[:1]:
            yield (
                part,
                Entry(
                    text=generation.text,
                    finish_reason=generation.finish_reason,
                    prompt_tokens=generation.usage.prompt_tokens,
                    completion_tokens=generation.usage.completion_tokens,
                    model=response.model,
                    revision=response.revision,
                    prompt_profile=response.prompt_profile,
                    seconds=seconds,
                    tenant=look.tenant,
                    images=tuple(image.digest for image in look.images),
                ),
            )


async def _follow_all(
    flights: Sequence[Flight[Delta, _Brought]], listen: Listen
) -> list[_Brought | RacroError]:
    """What each flight brought, or the error it ended with."""
    following = (flight.follow(listen) for flight in flights)
    outcomes = await asyncio.gather(*following, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, RacroError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, _Brought | RacroError)]


def _assemble(
    look: Look,
    cached: dict[Part, Entry],
    outcomes: Sequence[_Brought | RacroError],
    *,
    joined: bool,
) -> Perception:
    entries = dict(cached)
    errors = [outcome for outcome in outcomes if isinstance(outcome, RacroError)]
    failures = [PartFailure(code=error.code, message=error.message) for error in errors]
    brought = [outcome for outcome in outcomes if isinstance(outcome, _Brought)]
    for one in brought:
        failures += one.failed.values()
        entries |= one.entries
    caption = entries.get("caption")
    if caption is None:
        raise errors[0] if errors else UpstreamError("the captioner answered without a caption")
    tentative = entries.get("tentative")
    result: CacheResult = "hit"
    if look.cache == "bypass":
        result = "bypass"
    elif ways := {one.came_from for one in brought} | ({"miss"} if errors else set()):
        result = next(way for way in ("miss", "coalesced", "hit") if way in ways)
        result = "coalesced" if joined and result == "miss" else result
    context = VisualContext(
        caption=caption.text,
        tentative=tentative.text if tentative else None,
        truncated=tuple(part for part, entry in entries.items() if entry.finish_reason == "length"),
        failed=failures[0] if failures and tentative is None else None,
        model=caption.model,
        revision=caption.revision,
        prompt_profile=caption.prompt_profile,
        cache=result,
    )
    spent = Usage() if joined else sum((one.spent for one in brought), Usage())
    return Perception(context, spent)

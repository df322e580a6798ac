"""Perception: from images and a question to a visual context, through cache and single flight."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from pydantic import ValidationError

from gateway import metrics
from gateway.cache import Cache
from gateway.captioner import CaptionerClient
from gateway.flight import Flight, Flights
from gateway.images import Image
from racro.contracts.errors import RacroError, UpstreamError
from racro.contracts.keys import visual_context_key
from racro.contracts.perception import (
    Delta,
    Generation,
    Part,
    PartFailure,
    PerceiveOptions,
    PerceiveRequest,
    PerceiveResponse,
    Usage,
    Wire,
    normalise_question,
)
from racro.contracts.solve import CacheMode, CacheResult, VisualContext

Listen = Callable[[Delta], Awaitable[None]]

# One tenant until there are keys to tell them apart.
_TENANT = ""


async def hear_nothing(_: Delta) -> None:
    pass


@dataclass(frozen=True)
class Look:
    """What is to be perceived: these images, for this question (None: a general caption)."""

    images: Sequence[Image]
    question: str | None
    tentative: bool = False
    cache: CacheMode = "use"


@dataclass(frozen=True)
class Perception:
    """A visual context and the tokens that this request spent on it."""

    context: VisualContext
    usage: Usage


class _Entry(Wire):
    """A cached part. It names its maker, who may be another one by the time it is read."""

    generation: Generation
    model: str
    revision: str
    prompt_profile: str

    @classmethod
    def of(cls, part: Part, response: PerceiveResponse) -> Self | None:
        """None if the part failed or was not asked for."""
        generations = response.generations(part)
        if not generations:
            return None
        return cls(
            generation=generations[0],
            model=response.model,
            revision=response.revision,
            prompt_profile=response.prompt_profile,
        )


class Perceiver:
    def __init__(
        self,
        captioner: CaptionerClient,
        cache: Cache,
        *,
        max_tokens: int,
        max_timeout_s: float,
    ) -> None:
        self._captioner = captioner
        self._cache = cache
        self._options = PerceiveOptions(max_tokens=max_tokens)
        self._max_timeout_s = max_timeout_s
        self._flights: Flights[Delta, PerceiveResponse] = Flights()

    async def perceive(self, look: Look, listen: Listen = hear_nothing) -> Perception:
        """`listen` hears the texts as they come, from wherever they come.

        Raises what the captioner raised for its caption; a tentative response that failed is left
        out and marked.
        """
        identity = await self._captioner.identity()
        wanted = [part for part in _parts_of(look) if part in identity.parts]
        keys = {part: self._key(look, part, identity.fingerprint) for part in wanted}

        cached = await self._read(keys) if look.cache == "use" else {}
        for part, entry in cached.items():
            await listen(Delta(part=part, text=entry.generation.text))
        missing = [part for part in wanted if part not in cached]
        flights, joined = self._board(look, {part: keys[part] for part in missing})
        with ExitStack() as seats:
            for flight in flights:
                seats.enter_context(flight.seat())
            outcomes = await _follow_all(flights, listen)

        perception = _assemble(look, missing, cached, outcomes, coalesced=joined)
        metrics.CACHE_RESULTS.labels(perception.context.cache).inc()
        return perception

    def _key(self, look: Look, part: Part, fingerprint: str) -> str:
        return visual_context_key(
            tenant=_TENANT,
            image_digests=[image.digest for image in look.images],
            question=_question(look),
            fingerprint=fingerprint,
            options=self._options,
            part=part,
        )

    async def _read(self, keys: dict[Part, str]) -> dict[Part, _Entry]:
        found = {}
        for part, key in keys.items():
            value = await self._cache.get(key)
            if value is None:
                continue
            metrics.CACHE_BYTES.labels("read").inc(len(value))
            try:
                found[part] = _Entry.model_validate_json(value)
            except ValidationError:
                # Written by another release, or damaged: as good as not there.
                continue
        return found

    def _board(
        self, look: Look, missing: dict[Part, str]
    ) -> tuple[list[Flight[Delta, PerceiveResponse]], bool]:
        """Flights that will bring the missing parts, and whether all of them were under way.

        Bypass and refresh want an answer of their own: they neither join nor are joined.
        """
        if look.cache != "use":
            parts = tuple(missing)
            return [Flight(lambda say: self._call(look, parts, say))] if parts else [], False
        boarded = {part: self._flights.find(key) for part, key in missing.items()}
        flights = list(dict.fromkeys(flight for flight in boarded.values() if flight is not None))
        unclaimed = tuple(part for part, flight in boarded.items() if flight is None)
        if unclaimed:
            keys = [missing[part] for part in unclaimed]
            flights.append(self._flights.start(keys, lambda say: self._call(look, unclaimed, say)))
        return flights, bool(flights) and not unclaimed

    async def _call(self, look: Look, parts: tuple[Part, ...], say: Listen) -> PerceiveResponse:
        """One captioner call for all `parts`; what it brings is stored before it is told.

        It has the longest deadline a follower may have: followers leave at their own.
        """
        request = await asyncio.to_thread(self._request, look, parts)
        with metrics.Stopwatch().stage("captioner"):
            response = await self._captioner.perceive(request, say, timeout_s=self._max_timeout_s)
        metrics.count_tokens("captioner", _usage_of(response))
        if (await self._captioner.identity()).fingerprint != response.fingerprint:
            self._captioner.forget_identity()
        if look.cache != "bypass":
            await self._store(look, parts, response)
        return response

    def _request(self, look: Look, parts: tuple[Part, ...]) -> PerceiveRequest:
        return PerceiveRequest(
            question=_question(look),
            images=tuple(image.data_url() for image in look.images),
            parts=parts,
            options=self._options,
        )

    async def _store(self, look: Look, parts: tuple[Part, ...], response: PerceiveResponse) -> None:
        """Under the fingerprint that the captioner answered with, whatever it was asked under."""
        for part in parts:
            if (entry := _Entry.of(part, response)) is not None:
                value = entry.model_dump_json().encode()
                metrics.CACHE_BYTES.labels("written").inc(len(value))
                await self._cache.set(self._key(look, part, response.fingerprint), value)


def _parts_of(look: Look) -> tuple[Part, ...]:
    return ("caption", "tentative") if look.tentative and _question(look) else ("caption",)


def _question(look: Look) -> str | None:
    return normalise_question(look.question or "") or None


def _usage_of(response: PerceiveResponse) -> Usage:
    generations = (*response.caption, *response.tentative)
    return sum((generation.usage for generation in generations), Usage())


async def _follow_all(
    flights: Sequence[Flight[Delta, PerceiveResponse]], listen: Listen
) -> list[PerceiveResponse | RacroError]:
    """What each flight brought, or the error it ended with."""
    following = (flight.follow(listen) for flight in flights)
    outcomes = await asyncio.gather(*following, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, RacroError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, PerceiveResponse | RacroError)]


def _assemble(
    look: Look,
    missing: Sequence[Part],
    cached: dict[Part, _Entry],
    outcomes: Sequence[PerceiveResponse | RacroError],
    *,
    coalesced: bool,
) -> Perception:
    entries = dict(cached)
    errors = [outcome for outcome in outcomes if isinstance(outcome, RacroError)]
    failures = [PartFailure(code=error.code, message=error.message) for error in errors]
    responses = [outcome for outcome in outcomes if isinstance(outcome, PerceiveResponse)]
    for response in responses:
        failures += response.failed.values()
        for part in missing:
            if (entry := _Entry.of(part, response)) is not None:
                entries[part] = entry
    caption = entries.get("caption")
    if caption is None:
        raise errors[0] if errors else UpstreamError("the captioner answered without a caption")
    tentative = entries.get("tentative")
    result: CacheResult = "hit"
    if look.cache == "bypass":
        result = "bypass"
    elif missing:
        result = "coalesced" if coalesced else "miss"
    context = VisualContext(
        caption=caption.generation.text,
        tentative=tentative.generation.text if tentative else None,
        truncated=tuple(
            part for part, entry in entries.items() if entry.generation.finish_reason == "length"
        ),
        failed=failures[0] if failures and tentative is None else None,
        model=caption.model,
        revision=caption.revision,
        prompt_profile=caption.prompt_profile,
        cache=result,
    )
    spent = Usage() if coalesced else sum(map(_usage_of, responses), Usage())
    return Perception(context, spent)

"""The replicas of the captioner: which of them a request goes to, and who captions it."""

import hashlib
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from gateway.perception.captioner import CaptionerClient
from gateway.replica_state import problem_of
from racro.contracts.errors import NotStarted, UpstreamError, UpstreamUnavailable
from racro.contracts.perception import Delta, Identity, OnDelta, PerceiveRequest, PerceiveResponse
from racro.servekit.tasks import all_of

# How many times the mean of all replicas one may have in flight. Vimeo's balancer, which made
# consistent hashing with bounded loads known, runs with 1.25 (Mirrokni et al., SODA 2018).
_MOST_LOAD = 1.25
# What one could not bear may bring down all.
_MOST_BROKEN = 1


class CaptionResult(NamedTuple):
    """The answer of a replica, and who it said it was before."""

    identity: Identity
    response: PerceiveResponse


class Captioners:
    """Asks the replica that is most likely to have had an image before.

    Its engine may still have what it computed of that image. Replicas are ranked for each image by
    rendezvous hashing (Thaler and Ravishankar, 1998), so that all gateways agree, and a replica
    that comes or goes changes the rank of no other. One that has much more to do than others is
    passed over, and one that is down is asked last.

    Replicas may be of two versions while one replaces the other: each has an identity of its own,
    and the one that is ranked first gives the cache keys of its images.
    """

    def __init__(self, replicas: Sequence[CaptionerClient]) -> None:
        """`replicas` may change while requests are in flight."""
        self._replicas = replicas

    @property
    def was_reached(self) -> bool:
        """Whether any of them has ever told who it is."""
        return any(replica.known_identity is not None for replica in self._replicas)

    @property
    def replicas_problem(self) -> str | None:
        """Tell how many of them are down, where some are and others answer."""
        return problem_of(replica.state for replica in self._replicas)

    async def check(self) -> None:
        """Ask all who they are, and mark each up or down. Raises UpstreamError if none answers."""
        failures = await all_of(_failure(replica) for replica in [*self._replicas])
        if all(failures):
            raise failures[0]  # type: ignore[misc] # none of them is None

    async def identity(self, image: str) -> Identity:
        """Return who captions the image of that digest. Raises UpstreamError if nobody is known."""
        *others, last = self._ranked(image)
        for replica in others:
            try:
                return await replica.identity()
            except UpstreamError:
                continue
        return await last.identity()

    async def perceive(
        self,
        image: str,
        request_to: Callable[[Identity], Awaitable[PerceiveRequest]],
        on_delta: OnDelta,
    ) -> CaptionResult:
        """Have images captioned by one replica; `image` is the digest of the first.

        `request_to` returns what one of that identity is asked. Where one does not tell who it is,
        cannot be connected to, or refuses before it has begun, the next is asked. So it is, once,
        where one breaks off before it gave any text: captioning has no effects but its answer.
        Raises what `CaptionerClient.perceive` does.
        """
        asked = _Asked(request_to, on_delta)
        *others, last = self._by_load(self._ranked(image))
        for replica in others:
            try:
                return await asked.of(replica)
            except UpstreamError as error:
                if not asked.may_go_on(error):
                    raise
        return await asked.of(last)

    def _ranked(self, image: str) -> Sequence[CaptionerClient]:
        """Return the replicas in the order in which an image prefers them, those down last."""
        if len(self._replicas) == 1:
            return self._replicas
        scores = {
            replica: hashlib.sha256(f"{image} {replica.name}".encode()).digest()
            for replica in self._replicas
        }
        return sorted(self._replicas, key=lambda one: (one.state.is_down, scores[one]))

    def _by_load(self, ranked: Sequence[CaptionerClient]) -> Sequence[CaptionerClient]:
        """Return them with those behind that would have much more in flight than the mean.

        Those of another identity than the first come after all of the same: the cache is asked for
        captions of the first one's.
        """
        if len(ranked) == 1:
            return ranked
        total = sum(replica.state.in_flight for replica in ranked)
        most = math.ceil(_MOST_LOAD * (total + 1) / len(ranked))
        first = ranked[0].known_identity

        def order(one: CaptionerClient) -> tuple[bool, bool, bool]:
            differs = None not in (first, one.known_identity) and first != one.known_identity
            return one.state.is_down, differs, one.state.in_flight + 1 > most

        return sorted(ranked, key=order)


async def _failure(replica: CaptionerClient) -> UpstreamError | None:
    try:
        await replica.check()
    except UpstreamError as error:
        return error
    return None


class _Asked:
    """One request for captions, which several replicas may be asked in turn."""

    def __init__(
        self,
        request_to: Callable[[Identity], Awaitable[PerceiveRequest]],
        on_delta: OnDelta,
    ) -> None:
        self._request_to = request_to
        self._on_delta = on_delta
        self._was_sent = False
        self._has_text = False
        self._broken = 0

    async def of(self, replica: CaptionerClient) -> CaptionResult:
        """Ask one replica. Raises UpstreamError."""
        self._was_sent = False
        replica.state.in_flight += 1
        try:
            identity = await replica.expect_answer()
            request = await self._request_to(identity)
            self._was_sent = True
            response = await replica.perceive(request, self._on_text)
        finally:
            replica.state.in_flight -= 1
        if identity.fingerprint != response.fingerprint:
            replica.forget_identity()
        return CaptionResult(identity, response)

    async def _on_text(self, delta: Delta) -> None:
        self._has_text = True
        await self._on_delta(delta)

    def may_go_on(self, error: UpstreamError) -> bool:
        """Whether another replica may be asked after one failed with that error."""
        if not self._was_sent or isinstance(error, NotStarted):
            return True
        if self._has_text or not isinstance(error, UpstreamUnavailable):
            return False
        self._broken += 1
        return self._broken <= _MOST_BROKEN

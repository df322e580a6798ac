"""The replicas of the captioner: which of them a request goes to, and who captions it."""

import hashlib
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from gateway.perception.captioner import CaptionerClient
from racro.contracts.errors import NotStarted, UpstreamError, UpstreamUnavailable
from racro.contracts.perception import Identity, OnDelta, PerceiveRequest, PerceiveResponse
from racro.servekit.tasks import all_of

# How many times the mean of all replicas one may have in flight. Vimeo's balancer, which made
# consistent hashing with bounded loads known, runs with 1.25 (Mirrokni et al., SODA 2018).
_MOST_LOAD = 1.25


class Captioned(NamedTuple):
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
        return any(replica.was_reached for replica in self._replicas)

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
    ) -> Captioned:
        """Have images captioned by one replica; `image` is the digest of the first.

        `request_to` returns what one of that identity is asked. Where one cannot be connected to,
        or refuses before it has begun, the next is asked. Raises what `CaptionerClient.perceive`
        does.
        """
        *others, last = self._by_load(self._ranked(image))
        for replica in others:
            try:
                return await _ask(replica, request_to, on_delta)
            except NotStarted:
                continue
        return await _ask(last, request_to, on_delta)

    def _ranked(self, image: str) -> Sequence[CaptionerClient]:
        """Return the replicas in the order in which an image prefers them, those down last."""
        if len(self._replicas) == 1:
            return self._replicas
        scores = {
            replica: hashlib.sha256(f"{image} {replica.name}".encode()).digest()
            for replica in self._replicas
        }
        return sorted(self._replicas, key=lambda one: (one.state.is_down, scores[one]))

    def _by_load(self, ranked: Sequence[CaptionerClient]) -> list[CaptionerClient]:
        """Return them with those behind that would have much more in flight than the mean."""
        total = sum(replica.state.in_flight for replica in ranked)
        most = math.ceil(_MOST_LOAD * (total + 1) / len(ranked))
        return sorted(ranked, key=lambda one: (one.state.is_down, one.state.in_flight + 1 > most))


async def _failure(replica: CaptionerClient) -> UpstreamError | None:
    try:
        await replica.check()
    except UpstreamError as error:
        return error
    return None


async def _ask(
    replica: CaptionerClient,
    request_to: Callable[[Identity], Awaitable[PerceiveRequest]],
    on_delta: OnDelta,
) -> Captioned:
    state = replica.state
    state.in_flight += 1
    try:
        identity = await replica.identity()
        response = await replica.perceive(await request_to(identity), on_delta)
    except UpstreamUnavailable as error:
        state.mark_down(error.retry_after_s if isinstance(error, NotStarted) else None)
        raise
    finally:
        state.in_flight -= 1
    if identity.fingerprint != response.fingerprint:
        replica.forget_identity()
    return Captioned(identity, response)

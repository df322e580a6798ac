"""The replicas of one reasoner: each request goes to the one with the fewest in flight."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from gateway.replica_state import ReplicaState
from gateway.tenancy.fair_queue import Ticket
from racro.contracts.client import retry_after_s
from racro.contracts.errors import NotStarted, UpstreamError, UpstreamUnavailable
from racro.servekit.tasks import all_of
from racro.servekit.upstream import Response, Upstream, is_ending, is_safe_to_retry

_NOT_READY = 503
# One that gave no byte of an answer for so long until nobody waited any more may hang.
_SILENT_S = 30.0


class Replica(ReplicaState):
    """One server of a reasoner: how many requests it has in flight, and whether it is down."""

    def __init__(self, upstream: Upstream) -> None:
        super().__init__()
        self.upstream = upstream

    @property
    def rank(self) -> tuple[bool, int, float]:
        """The order in which replicas are tried: first those that are up and have least in flight.

        Equals are ordered at random, or several gateways would all choose the first.
        """
        return self.is_down, self.in_flight, random.random()  # noqa: S311


class Replicas:
    """Sends requests to the replicas of one reasoner."""

    def __init__(self, replicas: Sequence[Replica]) -> None:
        """`replicas` may change while requests are in flight."""
        self._all = replicas

    def post(self, path: str, body: Any, ticket: Ticket) -> AbstractAsyncContextManager[Response]:
        """POST to the replica with the fewest requests in flight, as Upstream.post does.

        The request has its place in the queue, for which it may wait, until the block ends. Where
        that replica has not started (it cannot be connected to, or answers 503 without
        `x-racro-begun`) the next one is tried.
        """
        return _Post([*self._all], path, body, ticket)

    async def get_json(self, path: str) -> Any:
        """GET a JSON document from all replicas and return the first one; marks each up or down.

        Raises UpstreamError where none of them answers.
        """
        return await self._probe(lambda upstream: upstream.get_json(path))

    async def reach(self, path: str) -> None:
        """Ask all replicas for a document that need not be there; marks each up or down.

        Raises UpstreamError where none of them answers.
        """
        await self._probe(lambda upstream: upstream.reach(path))

    async def _probe(self, ask: Callable[[Upstream], Awaitable[Any]]) -> Any:
        outcomes = await all_of(_outcome(replica, ask) for replica in [*self._all])
        found = [outcome for outcome in outcomes if not isinstance(outcome, UpstreamError)]
        if not found:
            raise outcomes[0]
        return found[0]


class _Post:
    """One request to the first of some replicas that starts with it."""

    __slots__ = ("_body", "_path", "_replica", "_replicas", "_request", "_ticket")

    def __init__(self, replicas: Sequence[Replica], path: str, body: Any, ticket: Ticket) -> None:
        self._replicas = replicas
        self._path = path
        self._body = body
        self._ticket = ticket

    async def __aenter__(self) -> Response:
        if not self._ticket.enter_at_once():
            await self._ticket.enter()
        replicas = self._replicas
        if len(replicas) > 1:
            replicas = sorted(replicas, key=lambda replica: replica.rank)
        *others, last = replicas
        for replica in others:
            try:
                response = await self._ask(replica)
            except NotStarted:
                continue
            if not is_safe_to_retry(response):
                return response
            await self._end(None, None, None)
        return await self._ask(last)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._end(kind, error, traceback)
        finally:
            self._ticket.leave()

    async def _end(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._replica.in_flight -= 1
        await self._request.__aexit__(kind, error, traceback)

    async def _ask(self, replica: Replica) -> Response:
        self._replica = replica
        self._request = replica.upstream.post(self._path, self._body)
        replica.in_flight += 1
        now = asyncio.get_running_loop().time
        began = now()
        try:
            response = await self._request.__aenter__()
        except BaseException as error:
            replica.in_flight -= 1
            if isinstance(error, UpstreamUnavailable) or now() - began >= _SILENT_S:
                replica.mark_down()
            raise
        if response.status == _NOT_READY:
            # Of an overloaded one, a second as a rule.
            replica.mark_down(retry_after_s(response.headers))
        elif is_ending(response):
            replica.mark_down()
        return response


async def _outcome(replica: Replica, ask: Callable[[Upstream], Awaitable[Any]]) -> Any:
    try:
        answer = await ask(replica.upstream)
    except UpstreamError as error:
        replica.mark_down()
        return error
    replica.mark_up()
    return answer

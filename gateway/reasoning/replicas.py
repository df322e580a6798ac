"""The replicas of one reasoner: each request goes to the one with the fewest in flight."""

import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, TypeVar

from gateway.replica_state import ReplicaState, Silence, problem_of
from gateway.tenancy.fair_queue import Ticket
from racro.contracts.client import retry_after_s
from racro.contracts.errors import NotStarted, UpstreamError, UpstreamUnavailable
from racro.servekit.tasks import all_of
from racro.servekit.upstream import (
    Response,
    Upstream,
    broke_before_answer,
    is_ending,
    is_safe_to_retry,
)

T = TypeVar("T")

_NOT_READY = 503
# Of those that do not answer a question so many are waited for.
_MOST_ASKED = 3


class Replica:
    """One server of a reasoner. `state` is what was known of it before, if anything was."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        url: str = "",
        address: str | None = None,
        state: ReplicaState | None = None,
        recheck_every_s: float = 0,
    ) -> None:
        """`address` is the server's where its URL's name has several.

        It is rechecked no sooner than `recheck_every_s` seconds after it was last asked.
        """
        self.upstream = upstream
        self.url = url
        self.address = address
        self.state = ReplicaState() if state is None else state
        self._recheck_every_s = recheck_every_s

    @property
    def rank(self) -> tuple[bool, int, float]:
        """The order in which replicas are tried: first those that are up and have least in flight.

        Equals are ordered at random, or several gateways would all choose the first.
        """
        return self.state.is_down, self.state.in_flight, random.random()  # noqa: S311

    async def recheck(self) -> None:
        """Ask whether it answers. Some servers list no models: any answer will do."""
        if time.monotonic() - self.state.asked_at < self._recheck_every_s:
            return
        self.state.asked_at = time.monotonic()
        try:
            await self.upstream.reach("/models")
        except UpstreamError:
            self.state.mark_down()
        else:
            self.state.mark_up()


class Replicas:
    """Sends requests to the replicas of one reasoner."""

    def __init__(self, replicas: Sequence[Replica], *, probes_each: bool = True) -> None:
        """`replicas` may change while requests are in flight.

        Unless it `probes_each` it asks one of each URL whether it answers, and others where none of
        those does: they may be paid for.
        """
        self._all = replicas
        self._probes_each = probes_each

    def post(
        self, path: str, body: Any, ticket: Ticket, *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Response]:
        """POST to the replica with the fewest requests in flight, as Upstream.post does.

        The request has its place in the queue, for which it may wait, until the block ends. Where
        that replica has not started (it cannot be connected to, or answers 503 without
        `x-racro-begun`) the next one is tried; so it is, once, where the connection breaks before a
        byte of an answer.
        """
        return _Post([*self._all], path, body, ticket, headers)

    @property
    def problem(self) -> str | None:
        """Tell how many of them are down, where some are and others answer."""
        return problem_of(replica.state for replica in self._all)

    async def get_json(self, path: str) -> Any:
        """GET a JSON document from replicas and return the first one; marks each up or down.

        Raises UpstreamError where none of them answers.
        """
        return await self._probe(lambda upstream: upstream.get_json(path))

    async def reach(self, path: str) -> None:
        """Ask replicas for a document that need not be there; marks each up or down.

        Raises UpstreamError where none of them answers.
        """
        await self._probe(lambda upstream: upstream.reach(path))

    async def ask_one(self, ask: Callable[[Upstream], Awaitable[T]]) -> T:
        """Return what one replica says, the one with the fewest requests in flight if it answers.

        Marks none up or down. Raises UpstreamError where three do not answer, or all.
        """
        failure: UpstreamError | None = None
        for replica in sorted(self._all, key=lambda replica: replica.rank)[:_MOST_ASKED]:
            try:
                return await ask(replica.upstream)
            except UpstreamError as error:
                failure = failure or error
        raise failure or NotStarted("the reasoner has no server")

    async def _probe(self, ask: Callable[[Upstream], Awaitable[Any]]) -> Any:
        replicas = first = [*self._all]
        if not self._probes_each:
            replicas.sort(key=lambda replica: replica.rank, reverse=True)
            first = [*{replica.url: replica for replica in replicas}.values()]
        rest = [replica for replica in replicas if replica not in first]
        outcomes: list[Any] = []
        for asked in (first, rest):
            outcomes += await all_of(_outcome(replica, ask) for replica in asked)
            for outcome in outcomes:
                if not isinstance(outcome, UpstreamError):
                    return outcome
        raise outcomes[0]


class _Post:
    """One request to the first of some replicas that starts with it."""

    __slots__ = ("_body", "_headers", "_path", "_replica", "_replicas", "_request", "_ticket")

    def __init__(
        self,
        replicas: Sequence[Replica],
        path: str,
        body: Any,
        ticket: Ticket,
        headers: Mapping[str, str] | None,
    ) -> None:
        self._replicas = replicas
        self._path = path
        self._body = body
        self._ticket = ticket
        self._headers = headers

    async def __aenter__(self) -> Response:
        if not self._ticket.enter_at_once():
            await self._ticket.enter()
        replicas = self._replicas
        if len(replicas) > 1:
            replicas = sorted(replicas, key=lambda replica: replica.rank)
        *others, last = replicas
        killed: UpstreamUnavailable | None = None
        for replica in others:
            try:
                response = await self._ask(replica)
            except NotStarted:
                continue
            except UpstreamUnavailable as error:
                # Once: what one could not bear may bring down all.
                if killed or not broke_before_answer(error):
                    raise
                killed = error
                continue
            if not is_safe_to_retry(response):
                return response
            await self._end(None, None, None)
        return await self._ask_last(last, killed)

    async def _ask_last(self, last: Replica, killed: UpstreamUnavailable | None) -> Response:
        """Ask the last replica. Where it has not started, raise what another was `killed` by.

        That one may have begun the work, so nobody else may be told that nobody has.
        """
        try:
            response = await self._ask(last)
        except NotStarted:
            if killed is None:
                raise
            raise killed from None
        if killed is not None and is_safe_to_retry(response):
            await self._end(None, None, None)
            raise killed
        return response

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
        self._replica.state.in_flight -= 1
        await self._request.__aexit__(kind, error, traceback)

    async def _ask(self, replica: Replica) -> Response:
        self._replica = replica
        self._request = replica.upstream.post(self._path, self._body, headers=self._headers)
        state = replica.state
        state.in_flight += 1
        silence = Silence(state)
        try:
            with silence:
                response = await self._request.__aenter__()
        except BaseException as error:
            state.in_flight -= 1
            state.note_unanswered(error, silent_s=silence.seconds)
            raise
        silence.end()
        if response.status == _NOT_READY:
            # Of an overloaded one, a second as a rule.
            state.mark_busy(retry_after_s(response.headers))
        elif is_ending(response):
            state.mark_busy()
        elif state.has_failed:
            state.mark_up()
        return response


async def _outcome(replica: Replica, ask: Callable[[Upstream], Awaitable[Any]]) -> Any:
    replica.state.asked_at = time.monotonic()
    try:
        answer = await ask(replica.upstream)
    except UpstreamError as error:
        replica.state.mark_down()
        return error
    replica.state.mark_up()
    return answer

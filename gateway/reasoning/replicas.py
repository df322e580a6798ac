"""The replicas of one reasoner: each request goes to the one with the fewest in flight."""

import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import aiohttp

from racro.contracts.errors import NotStarted, UpstreamError, UpstreamUnavailable
from racro.servekit.tasks import all_of
from racro.servekit.upstream import Upstream, is_safe_to_retry

_NOT_READY = 503
# A replica that failed is tried last for so long, unless a check finds it up.
_DOWN_S = 5.0


class Replica:
    """One server of a reasoner: how many requests it has in flight, and whether it is down."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.in_flight = 0
        self._down_until = 0.0

    @property
    def rank(self) -> tuple[bool, int, float]:
        """The order in which replicas are tried: first those that are up and have least in flight.

        Equals are ordered at random, or several gateways would all choose the first.
        """
        return time.monotonic() < self._down_until, self.in_flight, random.random()  # noqa: S311

    def mark_down(self) -> None:
        self._down_until = time.monotonic() + _DOWN_S

    def mark_up(self) -> None:
        self._down_until = 0.0

    @contextmanager
    def count_request(self) -> Iterator[None]:
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1


class Replicas:
    """Sends requests to the replicas of one reasoner."""

    def __init__(self, upstreams: Sequence[Upstream]) -> None:
        self._all = [Replica(upstream) for upstream in upstreams]

    @asynccontextmanager
    async def post(self, path: str, body: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """POST to the replica with the fewest requests in flight, as Upstream.post does.

        Where that one has not started (it cannot be connected to, or answers 503 without
        `x-racro-begun`) the next one is tried.
        """
        async with AsyncExitStack() as stack:
            yield await self._ask(stack, path, body)

    async def _ask(self, stack: AsyncExitStack, path: str, body: Any) -> aiohttp.ClientResponse:
        *others, last = sorted(self._all, key=lambda replica: replica.rank)
        for replica in others:
            async with AsyncExitStack() as attempt:
                try:
                    response = await _post(attempt, replica, path, body)
                except NotStarted:
                    continue
                if not is_safe_to_retry(response):
                    stack.push_async_exit(attempt.pop_all().__aexit__)
                    return response
        return await _post(stack, last, path, body)

    async def get_json(self, path: str) -> Any:
        """GET a JSON document from all replicas and return the first one; marks each up or down.

        Raises UpstreamError where none of them answers.
        """
        documents = await all_of(_document(replica, path) for replica in self._all)
        found = [document for document in documents if not isinstance(document, UpstreamError)]
        if not found:
            raise documents[0]
        return found[0]


async def _post(
    stack: AsyncExitStack, replica: Replica, path: str, body: Any
) -> aiohttp.ClientResponse:
    stack.enter_context(replica.count_request())
    try:
        response = await stack.enter_async_context(replica.upstream.post(path, body))
    except UpstreamUnavailable:
        replica.mark_down()
        raise
    if response.status == _NOT_READY:
        replica.mark_down()
    return response


async def _document(replica: Replica, path: str) -> Any:
    try:
        document = await replica.upstream.get_json(path)
    except UpstreamError as error:
        replica.mark_down()
        return error
    replica.mark_up()
    return document

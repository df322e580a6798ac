"""The copies of one reasoner: each request goes to the one that has the least to do."""

import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import aiohttp

from racro.contracts.errors import NotBegun, UpstreamError, UpstreamUnavailable
from racro.servekit.tasks import all_of
from racro.servekit.upstream import Upstream, begun_nothing

_NOT_READY = 503
# One that was away is asked last for so long, unless a check finds it back.
_AWAY_S = 5.0


class Replica:
    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.in_flight = 0
        self._away_until = 0.0

    @property
    def rank(self) -> tuple[bool, int, float]:
        """By chance among equals: several gateways shall not all ask the first."""
        return time.monotonic() < self._away_until, self.in_flight, random.random()  # noqa: S311

    def away(self) -> None:
        self._away_until = time.monotonic() + _AWAY_S

    def back(self) -> None:
        self._away_until = 0.0

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1


class Replicas:
    def __init__(self, upstreams: Sequence[Upstream]) -> None:
        self._all = [Replica(upstream) for upstream in upstreams]

    @asynccontextmanager
    async def post(self, path: str, body: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """As Upstream.post, of one that takes the request. One that cannot be connected to has not
        begun it, nor has one that says 503, unless it says so.
        """
        async with AsyncExitStack() as stack:
            yield await self._ask(stack, path, body)

    async def _ask(self, stack: AsyncExitStack, path: str, body: Any) -> aiohttp.ClientResponse:
        *others, last = sorted(self._all, key=lambda replica: replica.rank)
        for replica in others:
            async with AsyncExitStack() as attempt:
                try:
                    response = await _post(attempt, replica, path, body)
                except NotBegun:
                    continue
                if not begun_nothing(response):
                    stack.push_async_exit(attempt.pop_all().__aexit__)
                    return response
        return await _post(stack, last, path, body)

    async def get_json(self, path: str) -> Any:
        """The document of one that has it; all are asked, and known to be there or away then.

        Raises UpstreamError where none has it.
        """
        documents = await all_of(_document(replica, path) for replica in self._all)
        found = [document for document in documents if not isinstance(document, UpstreamError)]
        if not found:
            raise documents[0]
        return found[0]


async def _post(
    stack: AsyncExitStack, replica: Replica, path: str, body: Any
) -> aiohttp.ClientResponse:
    stack.enter_context(replica.busy())
    try:
        response = await stack.enter_async_context(replica.upstream.post(path, body))
    except UpstreamUnavailable:
        replica.away()
        raise
    if response.status == _NOT_READY:
        replica.away()
    return response


async def _document(replica: Replica, path: str) -> Any:
    try:
        document = await replica.upstream.get_json(path)
    except UpstreamError as error:
        replica.away()
        return error
    replica.back()
    return document

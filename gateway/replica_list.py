"""The replicas behind some URLs, kept up to date: a name with several addresses is several."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar, overload
from urllib.parse import urlsplit

from gateway.replica_state import ReplicaState
from racro.servekit.dialling import Origin, parse_origin
from racro.servekit.tasks import all_of
from racro.servekit.upstream import Client


class _Replica(Protocol):
    @property
    def state(self) -> ReplicaState: ...

    async def recheck(self) -> None:
        """Ask whether it answers, and mark it up or down."""


R = TypeVar("R", bound=_Replica)

_log = logging.getLogger(__name__)

# Name servers of clusters let an answer live for five seconds or more.
_REFRESH_S = 5
_RESOLVED_IN_S = 5
# Each is asked at every readiness check.
_MOST_ADDRESSES = 64


class ReplicaList(Sequence[R]):
    """Lists one replica for each address of a name that has several, and else one for each URL.

    So those behind a headless Service of Kubernetes are told apart: each has its own load, and is
    passed over while it is down. Of a name with more than 64 addresses the first 64 are used.
    """

    def __init__(
        self,
        client: Client,
        urls: Sequence[str],
        make: Callable[[str, str | None, Sequence[R]], R],
        *,
        on_change: Callable[[int], None],
        before: "ReplicaList[R] | None" = None,
    ) -> None:
        """`make` returns the replica of a URL, at an address of its name where that has several.

        It is also given the replicas that were known of that URL, and `on_change` how many there
        are now. The addresses that are known of URLs in `before` are used until the first refresh.
        """
        self._client = client
        self._urls = list({_normalised(url): url for url in urls}.values())
        self._make = make
        self._on_change = on_change
        self._replicas: dict[tuple[str, str | None], R] = {}
        for url in self._urls:
            known = {} if before is None else before.of(url)
            for address in known or [None]:
                self._replicas[url, address] = make(url, address, [*known.values()])
        self._listed = list(self._replicas.values())

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[R]:
        return iter(self._listed)

    @overload
    def __getitem__(self, index: int) -> R: ...

    @overload
    def __getitem__(self, index: slice) -> list[R]: ...

    def __getitem__(self, index: int | slice) -> R | list[R]:
        return self._listed[index]

    @property
    def failed(self) -> int:
        """How many did not answer when they were asked last."""
        return sum(replica.state.has_failed for replica in self._listed)

    def of(self, url: str) -> dict[str | None, R]:
        """Return the replicas of a URL by their addresses."""
        return {
            address: replica for (known, address), replica in self._replicas.items() if known == url
        }

    async def refresh(self) -> None:
        """Ask for the addresses of all names. Those of one that is not resolved now stay."""
        found: dict[tuple[str, str | None], R] = {}
        resolved = await all_of(self._addresses(url) for url in self._urls)
        for url, addresses in zip(self._urls, resolved, strict=True):
            known = self.of(url)
            for address in addresses:
                replica = known.get(address) or self._make(url, address, [*known.values()])
                found[url, address] = replica
        if found.keys() != self._replicas.keys():
            _log.info("%s has %s replicas", " ".join(self._urls), len(found))
            self._replicas = found
            # Requests in flight keep the replica that they have.
            self._listed = list(found.values())
            self._on_change(len(found))

    async def recheck(self) -> None:
        """Ask those that are down, or may hang, whether they answer, where there is a choice."""
        if len(self._listed) > 1:
            await all_of(
                one.recheck()
                for one in self._listed
                if one.state.has_failed or one.state.is_doubtful
            )

    async def _addresses(self, url: str) -> Iterable[str | None]:
        known = self.of(url)
        try:
            async with asyncio.timeout(_RESOLVED_IN_S):
                addresses = sorted(await self._client.addresses(url))[:_MOST_ADDRESSES]
        except (OSError, UnicodeError):
            return known
        # One alone is connected to by its name, unless it is what is left of several: its state
        # and its rank stay.
        several = len(addresses) > 1
        return addresses if several or not known.keys().isdisjoint(addresses) else [None]


def _normalised(url: str) -> tuple[Origin, str, str]:
    """Return what equal spellings of a URL have in common."""
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    return parse_origin(url), credentials, parts.path.rstrip("/")


async def refresh_periodically(lists: Callable[[], Iterable[ReplicaList[Any]]]) -> None:
    """Refresh the lists that there are, at once and every few seconds, until cancelled.

    Replicas that are down are asked again. Nothing that goes wrong ends it.
    """
    while True:
        await all_of(_renewed(replicas) for replicas in list(lists()))
        await asyncio.sleep(_REFRESH_S)


async def _renewed(replicas: ReplicaList[Any]) -> None:
    try:
        await replicas.refresh()
        await replicas.recheck()
    except Exception:  # noqa: BLE001 - it goes on watching
        _log.exception("replicas could not be refreshed")

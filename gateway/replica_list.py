"""The replicas behind some URLs, kept up to date: a name with several addresses is several."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, overload

from racro.servekit.upstream import Client

R = TypeVar("R")

_log = logging.getLogger(__name__)

# Name servers of clusters let an answer live for five seconds or more.
_REFRESH_S = 5


class ReplicaList(Sequence[R]):
    """Lists one replica for each address of a name that has several, and else one for each URL.

    So those behind a headless Service of Kubernetes are told apart: each has its own load, and is
    passed over while it is down. `make` returns the replica of a URL, and of an address of its name
    where that has several; `on_change` is told how many there are.
    """

    def __init__(
        self,
        client: Client,
        urls: Sequence[str],
        make: Callable[[str, str | None], R],
        *,
        on_change: Callable[[int], None],
    ) -> None:
        self._client = client
        self._urls = urls
        self._make = make
        self._on_change = on_change
        self._replicas: dict[tuple[str, str | None], R] = {
            (url, None): make(url, None) for url in urls
        }
        self._listed = list(self._replicas.values())

    def __len__(self) -> int:
        return len(self._listed)

    @overload
    def __getitem__(self, index: int) -> R: ...

    @overload
    def __getitem__(self, index: slice) -> list[R]: ...

    def __getitem__(self, index: int | slice) -> R | list[R]:
        return self._listed[index]

    async def refresh(self) -> None:
        """Ask for the addresses of all names. Those of one that is not resolved now stay."""
        found: dict[tuple[str, str | None], R] = {}
        for url in self._urls:
            for address in await self._addresses(url):
                key = (url, address)
                found[key] = self._replicas.get(key) or self._make(url, address)
        if found.keys() != self._replicas.keys():
            _log.info("%s has %s replicas", " ".join(self._urls), len(found))
            self._replicas = found
            # Requests in flight keep the replica that they have.
            self._listed = list(found.values())
            self._on_change(len(found))

    async def _addresses(self, url: str) -> Sequence[str | None]:
        try:
            addresses = await self._client.addresses(url)
        except (OSError, UnicodeError):
            return [address for known, address in self._replicas if known == url]
        return sorted(addresses) if len(addresses) > 1 else [None]


async def keep_current(lists: Callable[[], Iterable[ReplicaList[Any]]]) -> None:
    """Refresh the lists that there are, at once and every few seconds, until cancelled."""
    while True:
        for replicas in list(lists()):
            await replicas.refresh()
        await asyncio.sleep(_REFRESH_S)

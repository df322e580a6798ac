"""Connections to the Redis server behind the cache, and what they share."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import Connection, RedisSSLContext, SSLConnection

from racro.servekit.peer_timeout import peer_timeout


class Peer:
    """What all connections to one server share: name lookups, and the TLS context.

    There is one lookup at a time, in a thread of its own: the event loop has few threads for
    lookups, and a silent name server could block them all. Loading the system's certificates for a
    TLS context costs 30 ms.
    """

    def __init__(self, look_up: Callable[..., list[Any]] = socket.getaddrinfo) -> None:
        self._look_up = look_up
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="redis-name")
        self._lookup: asyncio.Future[list[Any]] | None = None
        self.tls: RedisSSLContext | None = None

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a server's name. Raises OSError."""
        if self._lookup is None or self._lookup.done():
            self._lookup = asyncio.get_running_loop().run_in_executor(
                self._thread, lambda: self._look_up(host, port, type=socket.SOCK_STREAM)
            )
        return [address[0] for *_, address in await asyncio.shield(self._lookup)]

    def close(self) -> None:
        self._thread.shutdown(wait=False)


class _Plain(Connection):
    def __init__(self, *, peer: Peer, **options: Any) -> None:
        super().__init__(**options)
        self._peer = peer
        self._address = self.host

    async def _connect(self) -> None:
        assert self.socket_connect_timeout is not None  # noqa: S101 - the client gives one
        async with peer_timeout(self.socket_connect_timeout):
            addresses = await self._peer.addresses(self.host, self.port)
        *others, last = addresses
        for self._address in others:
            with contextlib.suppress(OSError):
                await super()._connect()  # type: ignore[no-untyped-call]
                return
        self._address = last
        await super()._connect()  # type: ignore[no-untyped-call]

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "host": self._address}


class _Tls(_Plain, SSLConnection):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._peer.tls = self.ssl_context = self._peer.tls or self.ssl_context

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "server_hostname": self.host}


def open_pool(url: str, peer: Peer, **options: Any) -> ConnectionPool:
    """Open a pool of connections. Raises ValueError for a URL that is not one of Redis."""
    pool = ConnectionPool.from_url(url, peer=peer, **options)
    pool.connection_class = _Tls if pool.connection_class is SSLConnection else _Plain
    return pool

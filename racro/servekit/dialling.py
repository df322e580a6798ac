"""Makes connections to servers: names are resolved, TCP and TLS connections made, each in its time.

All that fails here is a `NotSent`: nothing of a request was sent yet.
"""

import asyncio
import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

import aiohappyeyeballs

from racro.servekit.http_errors import NotSent, NotTrusted
from racro.servekit.peer_timeout import peer_timeout

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]

_Protocol = TypeVar("_Protocol", bound=asyncio.Protocol)
_PORTS = {"http": 80, "https": 443}
# RFC 8305 recommends it.
_NEXT_ADDRESS_S = 0.25
# A refusal takes a round trip. Where half of the servers are gone, one connection in a thousand
# then meets no other.
_MOST_REFUSALS = 10
_MOST_TIMEOUTS = 2
# Without it a gateway that keeps no connections would ask the name server for each request.
_ADDRESSES_BELIEVED_S = 10
_MOST_CONNECT_BYTES = 2**16
_NEVER_S = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a URL leads: its scheme, host (without brackets) and port.

    With an `address` it is the one of several servers of that name that has it.
    """

    scheme: str
    host: str
    port: int
    address: str | None = None

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def netloc(self) -> str:
        """Return host and port as the `host` header has them: the scheme's own port is left out."""
        default = self.port == _PORTS[self.scheme]
        return _bracketed(self.host) if default else self.with_port

    @property
    def with_port(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@lru_cache(maxsize=256)
def parse_origin(url: str) -> Origin:
    """Return the origin of a URL. Raises ValueError if it is none of http or https."""
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in _PORTS or not host:
        raise ValueError("no URL of http or https with a host")
    if not host.isascii():
        host = host.encode("idna").decode()
    if any(character <= " " for character in host):
        raise ValueError("a URL with a control character in its host")
    return Origin(parts.scheme, host, parts.port or _PORTS[parts.scheme])


class _Names:
    """Resolves host names; what a name resolved to is believed for ten seconds."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, int], asyncio.Task[list[AddressInfo]]] = {}
        self._found: dict[tuple[str, int], tuple[float, list[AddressInfo]]] = {}

    async def resolve(self, host: str, port: int) -> list[AddressInfo]:
        """Return the addresses of a host. Raises OSError or UnicodeError where there are none.

        Those of one family are in random order, so that connections spread over them.
        """
        if (numeric := _numeric(host, port)) is not None:
            return [numeric]
        now = asyncio.get_running_loop().time()
        until, found = self._found.get((host, port), (now, []))
        if now >= until:
            found = await self._ask(host, port)
        families = list(dict.fromkeys(info[0] for info in found))
        return sorted(found, key=lambda info: (families.index(info[0]), random.random()))  # noqa: S311

    async def _ask(self, host: str, port: int) -> list[AddressInfo]:
        """Ask the resolver, once for all that wait for the same name."""
        task = self._running.get((host, port))
        if task is None:
            task = asyncio.create_task(self._look_up(host, port))
            self._running[host, port] = task
            task.add_done_callback(lambda done: self._note(host, port, done))
        return await asyncio.shield(task)

    async def _look_up(self, host: str, port: int) -> list[AddressInfo]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [(*info,) for info in found]

    def _note(self, host: str, port: int, done: "asyncio.Task[list[AddressInfo]]") -> None:
        del self._running[host, port]
        if not done.cancelled() and done.exception() is None:
            until = done.get_loop().time() + _ADDRESSES_BELIEVED_S
            self._found[host, port] = until, done.result()

    def close(self) -> None:
        for task in self._running.values():
            task.cancel()


def _numeric(host: str, port: int) -> AddressInfo | None:
    """Return the address that a host is already, which no resolver has to be asked for."""
    if "%" in host:
        return None
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    if version == 4:  # noqa: PLR2004
        return (socket.AF_INET, *kind, (host, port))
    return (socket.AF_INET6, *kind, (host, port, 0, 0))


class Dialler:
    """Makes connections. `proxy` is the origin of a proxy that all of them go through.

    `tls` returns the context of TLS connections, which is made when the first one is.
    """

    def __init__(
        self,
        *,
        connect_timeout_s: float,
        tls_timeout_s: float,
        tls: Callable[[], ssl.SSLContext],
        proxy: Origin | None = None,
    ) -> None:
        self.proxy = proxy
        self._connect_timeout_s = connect_timeout_s
        self._tls_timeout_s = tls_timeout_s
        self._make_context = tls
        self._context: ssl.SSLContext | None = None
        self._names = _Names()

    def close(self) -> None:
        self._names.close()

    async def addresses(self, origin: Origin) -> list[str]:
        """Return the addresses that a host's name has now, none where a proxy resolves it.

        Those of one family alone, the one that the resolver prefers: most often a server that has
        both is the same one twice.

        Raises OSError or UnicodeError where it is not resolved.
        """
        if self.proxy is not None or _numeric(origin.host, origin.port) is not None:
            return []
        found = await self._names.resolve(origin.host, origin.port)
        family = found[0][0]
        return list(dict.fromkeys(info[4][0] for info in found if info[0] == family))

    async def dial(self, origin: Origin, create: Callable[[], _Protocol]) -> _Protocol:
        """Return a connected protocol that `create` made. Raises NotSent."""
        try:
            connected = await self._connect(self.proxy or origin)
            try:
                return await self._hand_over(connected, origin, create)
            except BaseException:
                connected.close()
                raise
        except ssl.SSLCertVerificationError as error:
            raise NotTrusted("its TLS certificate is not trusted") from error
        except (OSError, UnicodeError, RuntimeError) as error:
            raise NotSent(f"no connection was made: {error!r}") from error

    async def _connect(self, origin: Origin) -> socket.socket:
        """Make a TCP connection, at another try where one was refused or not made in time.

        A virtual IP leads to one of several servers by chance, and one of them may be gone. TCP
        repeats a packet that was lost only after a second, which is all the time there is.
        """
        addresses = await self._names.resolve(origin.address or origin.host, origin.port)
        refusals = timeouts = 0
        while True:
            try:
                return await self._try(addresses)
            except ConnectionRefusedError:
                refusals += 1
                if refusals == _MOST_REFUSALS:
                    raise
            except TimeoutError:
                timeouts += 1
                if timeouts == _MOST_TIMEOUTS:
                    raise

    async def _try(self, addresses: list[AddressInfo]) -> socket.socket:
        async with peer_timeout(self._connect_timeout_s):
            connected = await aiohappyeyeballs.start_connection(
                addresses, happy_eyeballs_delay=_NEXT_ADDRESS_S
            )
        # A request is one write: there is nothing that it should wait for.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    async def _hand_over(
        self, connected: socket.socket, origin: Origin, create: Callable[[], _Protocol]
    ) -> _Protocol:
        """Let the event loop have the socket, inside of TLS where the origin has it."""
        loop = asyncio.get_running_loop()
        if not origin.is_tls:
            _, protocol = await loop.create_connection(create, sock=connected)
            return protocol
        if self.proxy is not None:
            async with peer_timeout(self._tls_timeout_s):
                await _open_tunnel(connected, origin)
        if self._context is None:
            self._context = self._make_context()
        async with peer_timeout(self._tls_timeout_s):
            _, protocol = await loop.create_connection(
                create,
                sock=connected,
                ssl=self._context,
                server_hostname=origin.host,
                # The event loop's own counts its lag.
                ssl_handshake_timeout=_NEVER_S,
            )
        return protocol


async def _open_tunnel(connected: socket.socket, origin: Origin) -> None:
    """Have a proxy connect the socket with an origin. Raises NotSent where it does not."""
    loop = asyncio.get_running_loop()
    ask = f"CONNECT {origin.with_port} HTTP/1.1\r\nhost: {origin.with_port}\r\n\r\n"
    await loop.sock_sendall(connected, ask.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = await loop.sock_recv(connected, _MOST_CONNECT_BYTES)
        answer += piece
        if not piece or len(answer) > _MOST_CONNECT_BYTES:
            raise NotSent("the proxy did not answer")
    version, _, rest = answer.partition(b" ")
    # The server speaks only when it is spoken to: bytes behind the head are none of TLS.
    if not (
        version.startswith(b"HTTP/1.") and rest.startswith(b"2") and answer.endswith(b"\r\n\r\n")
    ):
        raise NotSent("the proxy made no connection to the origin")

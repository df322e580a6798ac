"""Fetching images by URL, without opening a way into private networks.

Parse once, resolve, check every address, connect to a checked address, and again for each
redirect. Whatever spelling a URL uses for an address, the check sees the address that is dialled:
names and numbers alike pass through the connector's resolver and its socket factory.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateway.settings import FetchSection
from racro.contracts.errors import (
    DeadlineExceeded,
    InvalidImage,
    RacroError,
    TooLarge,
    UrlForbidden,
)

Address = IPv4Address | IPv6Address

# Special-purpose networks that older releases of Python call global, and addresses at which clouds
# serve their instances' secrets.
_NOT_PUBLIC = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
    IPv6Network("fec0::/10"),
    IPv6Network("3fff::/20"),
)
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_IPV4_COMPATIBLE = IPv6Network("::/96")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PLAIN = "identity"
# Others are names for nothing, such as those that object stores give: the bytes tell what they are.
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
_FORBIDDEN = (
    "the URL leads to an address that is not public; the gateway's settings fetch.allow_networks "
    "and fetch.allow_private say which of those may be fetched from"
)


class _Forbidden(Exception):
    """An address was refused. Not an OSError: aiohttp would try the next address instead."""


class AddressPolicy:
    """Which addresses may be dialled: public ones, and `allow_networks`."""

    def __init__(self, settings: FetchSection) -> None:
        self._allow_all = settings.allow_private
        self._allowed: tuple[IPv4Network | IPv6Network, ...] = settings.allow_networks

    def allows(self, address: Address) -> bool:
        if self._allow_all or any(address in network for network in self._allowed):
            return True
        embedded = _embedded_ipv4(address)
        return all(_is_public(one) for one in (address, *embedded))

    def check(self, host: str) -> None:
        """Raise _Forbidden for a numeric address that may not be dialled, or is none."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError as error:
            raise _Forbidden from error
        if not self.allows(address):
            raise _Forbidden


def _is_public(address: Address) -> bool:
    special = any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not (address.is_multicast or address.is_reserved or special)


def _embedded_ipv4(address: Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that a translator or tunnel would reach instead."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _IPV4_COMPATIBLE or any(address in network for network in _NAT64):
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return tuple(one for one in found if one is not None)


class _CheckedResolver(AbstractResolver):
    """Resolves as the system does; a name is refused as a whole if any of its addresses is."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        for result in found:
            self._policy.check(result["host"])
        return found

    async def close(self) -> None:
        await self._system.close()


class Fetcher:
    """Downloads images. Raises UrlForbidden, InvalidImage, TooLarge or DeadlineExceeded."""

    def __init__(self, settings: FetchSection, *, max_bytes: int) -> None:
        self._settings = settings
        self._max_bytes = max_bytes
        self._policy = AddressPolicy(settings)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_CheckedResolver(self._policy),
                socket_factory=self._checked_socket,
                # An address is checked when it is dialled: no connection outlives its request.
                force_close=True,
                use_dns_cache=False,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "user-agent": "racro-gateway",
                "accept": "image/*",
                "accept-encoding": _PLAIN,
            },
            # A compressed image gains nothing, and a compressed bomb must not be unpacked.
            auto_decompress=False,
        )

    async def close(self) -> None:
        await self._session.close()

    async def fetch(self, url: str, *, param: str) -> bytes:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._follow(url, param=param)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the image was not fetched within fetch.timeout_s = {self._settings.timeout_s:g}",
                param=param,
            ) from error
        except _Forbidden as error:
            raise UrlForbidden(_FORBIDDEN, param=param) from error
        except aiohttp.InvalidURL as error:
            # aiohttp refuses numeric hosts such as 127.1 or 2130706433 before they are resolved.
            raise UrlForbidden("the URL's host is not in canonical form", param=param) from error
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            raise InvalidImage("the image cannot be fetched from its URL", param=param) from error

    async def _follow(self, text: str, *, param: str) -> bytes:
        url = _parse(text, param=param)
        for _ in range(self._settings.max_redirects + 1):
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await self._read(response, param=param)
                location = response.headers.get("location", "")
            url = _parse(location, param=param, base=url)
        raise InvalidImage(
            f"more redirects than fetch.max_redirects = {self._settings.max_redirects}", param=param
        )

    async def _read(self, response: aiohttp.ClientResponse, *, param: str) -> bytes:
        if response.status != 200:  # noqa: PLR2004
            raise InvalidImage(
                f"the image's URL answered with status {response.status}", param=param
            )
        if response.headers.get("content-encoding", _PLAIN).strip().lower() in _COMPRESSED:
            raise InvalidImage("the image's URL answered with compressed bytes", param=param)
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large(param)
        data = bytearray()
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > self._max_bytes:
                raise self._too_large(param)
        return bytes(data)

    def _too_large(self, param: str) -> RacroError:
        return TooLarge(
            f"the image behind the URL is over max_image_bytes = {self._max_bytes}", param=param
        )

    def _checked_socket(self, address: Sequence[Any]) -> socket.socket:
        """Check the address that the connector is about to dial, and create its socket."""
        family, kind, protocol, _, sockaddr = address
        self._policy.check(sockaddr[0])
        return socket.socket(family=family, type=kind, proto=protocol)


def _parse(text: str, *, param: str, base: URL | None = None) -> URL:
    """Parse a URL, once: the connector is given this object, not the text."""
    if "\\" in text or any(ord(character) <= ord(" ") for character in text):
        # Parsers disagree about these, and disagreement is how filters are passed.
        raise UrlForbidden("the URL has a backslash, a space or a control character", param=param)
    try:
        url = URL(text)
        url = base.join(url) if base is not None else url
        host = url.host
    except ValueError as error:
        raise InvalidImage("the URL cannot be parsed", param=param) from error
    if url.scheme not in {"http", "https"} or not host:
        raise UrlForbidden("only http and https URLs with a host are fetched", param=param)
    if url.user is not None or url.password is not None:
        raise UrlForbidden("a URL with credentials is not fetched", param=param)
    return url

"""Tells which addresses images may be fetched from: those of the public internet."""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.settings import FetchSection

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


class ForbiddenAddress(Exception):
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
        """Raise ForbiddenAddress for a numeric address that may not be dialled, or is none."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError as error:
            raise ForbiddenAddress from error
        if not self.allows(address):
            raise ForbiddenAddress


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


class CheckedResolver(AbstractResolver):
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

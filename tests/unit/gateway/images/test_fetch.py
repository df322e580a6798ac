"""Fetching images by URL is no way into private networks."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.images.addresses import AddressPolicy
from gateway.images.fetch import Fetcher
from gateway.settings import FetchSection
from racro.contracts.errors import InvalidImage, UrlForbidden

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::2003"]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "64:ff9b:1::808:808",
]
PRIVATE_NETWORKS = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
EMBEDDINGS = {
    "itself": lambda v4: v4,
    "mapped": lambda v4: IPv6Address((0xFFFF << 32) | int(v4)),
    "compatible": lambda v4: IPv6Address(int(v4)),
    "NAT64": lambda v4: IPv6Address(int(IPv6Address("64:ff9b::")) | int(v4)),
    "6to4": lambda v4: IPv6Address((0x2002 << 112) | (int(v4) << 80) | 1),
    "Teredo": lambda v4: IPv6Address((0x2001_0000_0808_0808 << 64) | (int(v4) ^ 0xFFFF_FFFF)),
}


def in_network(text: str) -> st.SearchStrategy[IPv4Address]:
    network = IPv4Network(text)
    first, last = int(network.network_address), int(network.broadcast_address)
    return st.integers(first, last).map(IPv4Address)


@pytest.fixture(scope="module")
def policy() -> AddressPolicy:
    return AddressPolicy(FetchSection())


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_dialled(policy, address) -> None:
    assert policy.allows(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_other_addresses_may_not(policy, address) -> None:
    assert not policy.allows(ip_address(address))


@given(st.sampled_from(PRIVATE_NETWORKS).flatmap(in_network))
@settings(max_examples=200)
def test_no_private_address_may_be_dialled_however_it_is_wrapped(policy, address) -> None:
    wrapped = {name: embed(address) for name, embed in EMBEDDINGS.items()}
    assert {name: one for name, one in wrapped.items() if policy.allows(one)} == {}


@pytest.mark.parametrize("address", [*PUBLIC, *NOT_PUBLIC])
def test_allow_private_allows_all(address) -> None:
    assert AddressPolicy(FetchSection(allow_private=True)).allows(ip_address(address))


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("10.2.0.0", False),
        ("192.168.0.1", False),
        ("::ffff:192.168.0.1", False),
        ("fd00:1::5", True),
        ("fd00:2::5", False),
        ("8.8.8.8", True),
    ],
)
def test_allow_networks_allows_those_and_no_others(address, allowed) -> None:
    networks = FetchSection(allow_networks=("10.1.0.0/16", "fd00:1::/32"))
    assert AddressPolicy(networks).allows(ip_address(address)) is allowed


@pytest.fixture
async def fetcher():
    fetcher = Fetcher(FetchSection(timeout_s=300), max_bytes=10**6)
    yield fetcher
    await fetcher.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:1/x.png",
        "https://127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://localhost/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://0/",
        "http://user@8.8.8.8/",
        "http://user:password@8.8.8.8/",
        "http://8.8.8.8\\@127.0.0.1/",
        "http://8.8.8.8 .x/",
        "http://127.0.0.1 /",
        "http://8.8.8.8%2f.x/",
        "http://8.8.8.8/\tx",
        "http://8.8.8.8/\r\nHost: x",
        "https:///x.png",
        "http:x.png",
    ],
)
async def test_a_url_that_leads_elsewhere_than_to_the_public_is_forbidden(fetcher, url) -> None:
    with pytest.raises(UrlForbidden) as refusal:
        await fetcher.fetch(url, param="images[0]")
    assert refusal.value.param == "images[0]"
    assert "127.0.0.1" not in refusal.value.message


@pytest.mark.parametrize("url", ["http://[::1/", "http://8.8.8.8:99999/", "http://a:b:c/"])
async def test_a_url_that_cannot_be_parsed_is_no_image(fetcher, url) -> None:
    with pytest.raises(InvalidImage):
        await fetcher.fetch(url, param="images[0]")

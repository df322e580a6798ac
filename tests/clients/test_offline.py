"""Clients run where only loopback is: none of them reports, updates or asks another server."""

import errno
import socket

import pytest

# Of documentation alone (RFC 5737 and RFC 3849), and two resolvers that most networks reach.
OUTSIDE = ["192.0.2.1", "1.1.1.1", "8.8.8.8", "2001:db8::1"]


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_outside_is_unreachable(address: str) -> None:
    with pytest.raises(OSError, match="unreachable") as told:
        socket.create_connection((address, 443), timeout=5)
    assert told.value.errno == errno.ENETUNREACH


def test_there_is_no_interface_but_loopback() -> None:
    assert [name for _, name in socket.if_nameindex()] == ["lo"]

"""Free TCP ports of the loopback interface."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Returns that many different ports on 127.0.0.1 that nobody listens on now.

    Another process may take one before it is bound again.
    """
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def free_port() -> int:
    """Returns a port on 127.0.0.1 that nobody listens on now."""
    return free_ports(1)[0]

"""The sockets that a service listens on, taken before anything else is started.

So a wrong address is told at once, not after a model was loaded.
"""

import errno
import socket
from typing import Any

from racro.base.wrong_settings import WrongSettingsError

# A name may stand for an address of a family that is off.
_FAMILY_IS_OFF = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

Address = tuple[socket.AddressFamily, tuple[Any, ...]]


def listen(host: str, port: int) -> list[socket.socket]:
    """Returns a bound socket for each address of `host`. Raises WrongSettingsError.

    Connections are refused until the server listens.
    """
    sockets: list[socket.socket] = []
    problem: OSError | None = None
    for family, address in _addresses(host, port):
        try:
            sockets.append(_bound(family, address))
        except OSError as error:
            problem = error
            if error.errno not in _FAMILY_IS_OFF:
                break
    if problem is not None and (problem.errno not in _FAMILY_IS_OFF or not sockets):
        raise WrongSettingsError(_why(problem, host, port))
    return sockets


def _addresses(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        raise WrongSettingsError(
            f"host: {host} is no address of this machine, nor a name that has one"
        ) from error
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _bound(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Or a restart would wait for connections of before.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _why(problem: OSError, host: str, port: int) -> str:
    match problem.errno:
        case errno.EADDRINUSE:
            return f"port: {port} on {host} is taken by another process; set a free one"
        case errno.EADDRNOTAVAIL:
            return f"host: {host} is no address of this machine"
        case errno.EACCES:
            return f"port: {port} needs a privilege that this process lacks; set one over 1023"
    return f"port: cannot listen on {port} of {host}: {problem.strerror}"

"""A hostile DNS server and a witness of every connection, inside a process under test.

Python imports this module first in a process whose PYTHONPATH names this folder. TEST_DNS is a JSON
object: name → the answers of its first, second … lookup, each a list of addresses; the last answer
repeats. "*" answers for all other names, so that no lookup ever leaves this machine. Every address
that is dialled becomes a line of the file TEST_DIALLED, and none but loopback is really dialled.
"""

import ipaddress
import json
import os
import socket
from collections import Counter
from pathlib import Path

import uvloop

_TABLE = json.loads(os.environ["TEST_DNS"])
_dialled = Path(os.environ["TEST_DIALLED"]).open("a", buffering=1)  # noqa: SIM115
_HERE = [
    ipaddress.ip_network(network)
    for network in ("127.0.0.0/8", "0.0.0.0/32", "::1/128", "::/128", "::ffff:127.0.0.0/104")
]
_lookups: Counter[str] = Counter()
_system_getaddrinfo = socket.getaddrinfo
_system_connect = uvloop.Loop.sock_connect


def _answer(name: str) -> list[str]:
    answers = _TABLE.get(name, _TABLE["*"])
    _lookups[name] += 1
    return answers[min(_lookups[name], len(answers)) - 1]


def _getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002 - as in socket
    def numeric(address):
        numbers_only = flags | socket.AI_NUMERICHOST
        return _system_getaddrinfo(address, port, family, type, proto, numbers_only)

    try:
        return numeric(host)
    except (socket.gaierror, UnicodeError):
        name = host.decode() if isinstance(host, bytes) else host
        found = [info for address in _answer(name.lower()) for info in numeric(address)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name") from None
        return found


async def _loop_getaddrinfo(_, host, port, *, family=0, type=0, proto=0, flags=0):  # noqa: A002
    return _getaddrinfo(host, port, family, type, proto, flags)


async def _sock_connect(loop, sock, address):
    _dialled.write(f"{address[0]} {address[1]}\n")
    target = ipaddress.ip_address(address[0].partition("%")[0])
    if not any(target in network for network in _HERE):
        raise ConnectionRefusedError("only loopback is dialled in tests")
    await _system_connect(loop, sock, address)


socket.getaddrinfo = _getaddrinfo
# uvloop asks the C library itself.
uvloop.Loop.getaddrinfo = _loop_getaddrinfo
uvloop.Loop.sock_connect = _sock_connect

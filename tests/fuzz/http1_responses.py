"""Feeds arbitrary bytes, arbitrarily cut, to the HTTP client: `make fuzz`, half a minute.

None may raise what is not the client's own error, give more of a body than was sent, leave a reader
waiting whose connection has ended, or be read otherwise because it was cut otherwise. An input that
does is left in a file by libFuzzer, and run again with its path as the argument.
"""

import asyncio
import sys

import atheris

with atheris.instrument_imports(include=["racro.servekit.http1"]):
    from support.wire import WAITS, Outcome, outcome

RUNS = 120_000
MOST_BYTES = 4096
# llhttp is no Python, and cannot tell libFuzzer how far an input came. So answers begin with what
# comes far, and go on with pieces of HTTP among other bytes.
PIECES = (
    b"\r\n",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
    b"hello",
    b"1;x=y\r\n",
    b"0\r\nx: y\r\n\r\n",
    b"content-length: 5\r\n",
    b"content-length: 0\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: gzip\r\n",
    b"connection: close\r\n",
    b"connection: keep-alive\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 103 Early Hints\r\n",
    b"HTTP/1.1 304 Not Modified\r\n",
    b"a: b\r\n",
    b"\n",
    b" ",
    b":",
    b"\0",
)
BEGINNINGS = (
    b"",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n",
    b"HTTP/1.1 204 No Content\r\n",
)

_loop = asyncio.new_event_loop()


def check(data: bytes) -> None:
    """Read one answer whole and in pieces."""
    given = atheris.FuzzedDataProvider(data)
    ends, head_only = given.ConsumeBool(), given.ConsumeBool()
    sizes = given.ConsumeIntListInRange(given.ConsumeIntInRange(0, 8), 1, 64)
    answer = given.PickValueInList(list(BEGINNINGS))
    while given.remaining_bytes():
        answer += given.PickValueInList(list(PIECES))
        answer += given.ConsumeBytes(given.ConsumeIntInRange(0, 3))
    _loop.run_until_complete(_check(answer, sizes, ends=ends, head_only=head_only))


async def _check(answer: bytes, sizes: list[int], *, ends: bool, head_only: bool) -> None:
    whole = outcome([answer], ends=ends, head_only=head_only)
    pieces = _pieces(answer, sizes)
    cut = outcome(pieces, ends=ends, head_only=head_only)
    piped = outcome(pieces, ends=ends, head_only=head_only, piped=True)
    for found in (cut, piped):
        if _read(found) != _read(whole):
            raise AssertionError(f"{answer!r}: {whole}, and cut as {sizes}: {found}")
    for found in (whole, cut, piped):
        if isinstance(found.body, bytes) and len(found.body) > len(answer):
            raise AssertionError(f"{answer!r}: more than was sent: {found}")
        if ends and found.body == WAITS:
            raise AssertionError(f"{answer!r}: a reader waits for more than there is")


def _read(found: Outcome) -> tuple[object, ...]:
    """Return what a reader saw; empty lines behind an answer may cost its connection or not."""
    return found.status, found.body, found.headers


def _pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [piece for piece in (*pieces, data[at:]) if piece]


if __name__ == "__main__":
    options = [f"-runs={RUNS}", f"-max_len={MOST_BYTES}", "-timeout=60", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:]], check)
    atheris.Fuzz()

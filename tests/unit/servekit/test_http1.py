"""What the client does on the wire, against servers of raw bytes."""

import asyncio
import gc
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from racro.servekit.http1 import (
    IDLE_JITTER_S,
    IDLE_S,
    MAX_BUFFERED_BYTES,
    Http1Client,
    Http1Response,
    header_line,
)
from racro.servekit.http_errors import (
    Broken,
    HttpError,
    Malformed,
    NoFirstByte,
    NotSent,
    NotTrusted,
)
from racro.servekit.settings import UpstreamsSection
from racro.servekit.upstream import open_client
from support.certificates import make_authority
from support.processes import PATIENCE_S
from support.rawpeer import OK, FullQueue, RawConnection, RawPeer, eventually, open_sockets

both_loops = pytest.mark.clock("real", "uvloop")
standing = pytest.mark.clock("standing")

ENDLESS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Asking:
    """A client's requests to one URL."""

    def __init__(self, client: Http1Client, url: str) -> None:
        self.client = client
        self._target = client.target(url, {"x-all": "y"})

    async def send(self, path: str = "/a", **more: Any) -> Http1Response:
        return await self._target.send(more.pop("method", "POST"), path, headers={}, **more)

    async def ask(self, **more: Any) -> bytes:
        response = await self.send(**more)
        try:
            return await response.read()
        finally:
            response.close()

    @property
    def kept(self) -> int:
        return sum(map(len, self.client._pools.values()))


@asynccontextmanager
async def asking(
    peer: RawPeer, *, reuse: bool = True, host: str = "127.0.0.1", **settings: Any
) -> AsyncIterator[Asking]:
    async with (
        peer.listening(host) as port,
        open_client(UpstreamsSection(**settings), reuse=reuse) as client,
    ):
        shown = f"[{host}]" if ":" in host else host
        yield Asking(client, f"http://{shown}:{port}/base/")


@pytest.fixture(autouse=True)
async def _no_socket_is_left() -> AsyncIterator[None]:
    before = open_sockets()
    yield
    await eventually(lambda: open_sockets() <= before)


@both_loops
async def test_a_request_is_one_head_and_its_body() -> None:
    peer = RawPeer()
    async with asking(peer) as asked:
        assert await asked.ask(body=b'{"a": 1}') == b"{}"
        assert await asked.ask(method="GET", path="/b?c=d") == b"{}"
        port = asked._target._origin.port
    host = b"127.0.0.1:%d" % port
    assert peer.requests == [
        b"POST /base/a HTTP/1.1\r\nhost: " + host + b"\r\nx-all: y\r\ncontent-length: 8\r\n\r\n"
        b'{"a": 1}',
        b"GET /base/b?c=d HTTP/1.1\r\nhost: " + host + b"\r\nx-all: y\r\n\r\n",
    ]


@both_loops
async def test_a_large_body_arrives_whole() -> None:
    peer, body = RawPeer(), bytes(range(256)) * 40_000
    async with asking(peer) as asked:
        await asked.ask(body=body)
    assert peer.requests[0].endswith(b"\r\n\r\n" + body)


@both_loops
async def test_a_connection_is_used_again_the_last_one_first() -> None:
    peer = RawPeer()
    async with asking(peer) as asked:
        first, second = await asked.send(), await asked.send()
        for response in (first, second):
            await response.read()
            response.close()
        assert asked.kept == 2
        used = [await asked.send()]
        assert used[0].reused
        assert used[0]._connection is second._connection
        used[0].close()
    assert len(peer.connections) == 2


@both_loops
async def test_without_reuse_each_request_has_a_connection_of_its_own() -> None:
    peer = RawPeer()
    async with asking(peer, reuse=False) as asked:
        await asked.ask()
        await asked.ask()
        assert asked.kept == 0
        await eventually(lambda: all(one.ended.is_set() for one in peer.connections))
    assert len(peer.connections) == 2
    assert all(b"\r\nconnection: close\r\n" in request for request in peer.requests)


@both_loops
async def test_a_request_that_says_close_leaves_no_connection() -> None:
    peer = RawPeer()
    async with asking(peer) as asked:
        response = await asked._target.send("POST", "/a", headers={"connection": "close"})
        await response.read()
        response.close()
        assert asked.kept == 0


@both_loops
async def test_an_answer_to_head_has_no_body() -> None:
    async with asking(RawPeer()) as asked:
        assert await asked.ask(method="HEAD") == b""


@both_loops
@pytest.mark.parametrize("last_words", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
async def test_a_connection_that_was_closed_or_written_to_while_idle_is_not_used(
    last_words,
) -> None:
    peer = RawPeer()
    async with asking(peer) as asked:
        await asked.ask()
        assert asked.kept == 1
        if last_words:
            await peer.connections[0].write(last_words)
        else:
            peer.connections[0].close()
        await eventually(lambda: asked.kept == 0)
        await asked.ask()
    assert len(peer.requests) == len(peer.connections) == 2


@both_loops
@pytest.mark.parametrize("last_words", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
async def test_nor_is_one_whose_end_the_event_loop_has_not_seen(last_words) -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        async with open_client() as client:
            asked = Asking(client, f"http://127.0.0.1:{listener.getsockname()[1]}")
            for _ in range(2):
                task = asyncio.create_task(asked.send())
                peer, _ = await loop.sock_accept(listener)
                with peer:
                    await loop.sock_recv(peer, 2**16)
                    await loop.sock_sendall(peer, OK)
                    response = await task
                    assert not response.reused
                    await response.read()
                    response.close()
                    if last_words:
                        peer.send(last_words)
                # Without a turn of the loop between this and the next request.
                assert asked.kept == 1


@standing
async def test_a_connection_is_kept_for_four_seconds_less_a_jitter() -> None:
    loop, peer = asyncio.get_running_loop(), RawPeer()
    async with asking(peer) as asked:
        await asked.ask()
        loop.advance(IDLE_S - IDLE_JITTER_S - 0.001)
        await asked.ask()
        assert len(peer.connections) == 1
        loop.advance(IDLE_S)
        await asked.ask()
        assert len(peer.connections) == 2
        limits = set()
        for _ in range(50):
            await asked.ask()
            [[kept]] = asked.client._pools.values()
            limits.add(kept.idle_until - loop.time())
        assert IDLE_S - IDLE_JITTER_S <= min(limits) < max(limits) <= IDLE_S


@standing
async def test_an_idle_connection_is_closed_without_another_request() -> None:
    loop, peer = asyncio.get_running_loop(), RawPeer()
    async with asking(peer) as asked:
        await asked.ask()
        loop.advance(IDLE_S)
        await eventually(peer.connections[0].ended.is_set)
        assert asked.kept == 0


@both_loops
@pytest.mark.parametrize("behind", [b"HTTP/1.1 200 OK\r\n", b"\0", b"{}"])
async def test_bytes_behind_an_answer_cost_its_connection(behind) -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(OK + behind)

    peer = RawPeer(respond)
    async with asking(peer) as asked:
        assert await asked.ask() == b"{}"
        assert asked.kept == 0


@both_loops
async def test_an_answer_before_the_request_s_end_counts_and_costs_its_connection() -> None:
    left = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await left.wait()
        writer.transport.abort()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server, open_client() as client:
        asked = Asking(client, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        response = await asked.send(body=bytes(64 * 2**20))
        assert await response.read() == b"{}"
        response.close()
        assert asked.kept == 0
        left.set()


@both_loops
@pytest.mark.parametrize(
    ("answer", "error", "before"),
    [
        (b"", Broken, True),
        (b"H", Broken, False),
        (b"SSH-2.0\r\n", Malformed, False),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Malformed, False),
    ],
)
async def test_what_breaks_before_a_head_says_whether_an_answer_had_begun(
    answer, error, before
) -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(answer)
        connection.close()

    async with asking(RawPeer(respond)) as asked:
        with pytest.raises(Broken) as failure:
            await asked.ask()
        assert type(failure.value) is error
        assert failure.value.before_answer is before
        assert not failure.value.reused


@both_loops
async def test_what_breaks_within_a_body_gives_what_came_and_then_the_error() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS + b"5\r\nhello\r\n")
        connection.close()

    async with asking(RawPeer(respond)) as asked:
        response = await asked.send()
        assert await response.readany() == b"hello"
        with pytest.raises(Broken):
            await response.readany()
        response.close()


@both_loops
async def test_one_read_takes_all_that_came() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        for _ in range(3):
            await connection.write((ENDLESS if not _ else b"") + b"5\r\nhello\r\n")
        await connection.write(b"0\r\n\r\n")

    async with asking(RawPeer(respond)) as asked:
        response = await asked.send()
        await eventually(lambda: response._complete)
        assert await response.readany() == b"hello" * 3
        assert await response.readany() == b""
        response.close()
        assert asked.kept == 1


@both_loops
async def test_leaving_before_the_body_s_end_closes_the_connection() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS + b"5\r\nhello\r\n")

    peer = RawPeer(respond)
    async with asking(peer) as asked:
        response = await asked.send()
        assert await response.readany() == b"hello"
        response.close()
        await eventually(peer.connections[0].ended.is_set)
        assert asked.kept == 0
        with pytest.raises(Broken):
            await response.readany()


# A sink.


@both_loops
async def test_a_sink_gets_what_comes_without_anybody_waking() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS + b"2\r\nhe\r\n")
        for piece in (b"l", b"l", b"o"):
            await asyncio.sleep(0.01)
            await connection.write(b"1\r\n" + piece + b"\r\n")
        await connection.write(b"0\r\n\r\n")

    pieces, tasks = [], []

    def sink(data: bytes) -> bool:
        pieces.append(data)
        tasks.append(asyncio.current_task(asyncio.get_running_loop()))
        return True

    async with asking(RawPeer(respond)) as asked:
        response = await asked.send()
        assert await response.pipe(sink)
        assert b"".join(pieces) == b"hello"
        assert tasks[-1] is None
        assert await response.pipe(sink)
        response.close()
        assert asked.kept == 1


@both_loops
async def test_a_sink_that_wants_no_more_gets_no_more_until_it_is_piped_to_again() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS)
        for number in range(5):
            await asyncio.sleep(0.01)
            await connection.write(b"1\r\n%d\r\n" % number)
        await connection.write(b"0\r\n\r\n")

    pieces: list[bytes] = []

    def sink(data: bytes) -> bool:
        pieces.append(data)
        return False

    async with asking(RawPeer(respond)) as asked:
        response = await asked.send()
        assert not await response.pipe(sink)
        assert pieces == [b"0"]
        await eventually(lambda: response._complete)
        assert pieces == [b"0"]
        while not await response.pipe(sink):
            pass
        assert b"".join(pieces) == b"01234"
        response.close()
        assert asked.kept == 1


@both_loops
async def test_a_sink_that_wants_no_more_holds_the_server_up() -> None:
    piece, total = bytes(50_000), 20_000_000
    sent = received = 0

    async def respond(connection: RawConnection, _: bytes) -> None:
        nonlocal sent
        await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while sent < total:
            await connection.write(piece)
            sent += len(piece)

    def sink(data: bytes) -> bool:
        nonlocal received
        received += len(data)
        return False

    async with asking(RawPeer(respond)) as asked:
        response = await asked.send()
        assert not await response.pipe(sink)
        await eventually(lambda: response._connection._paused)
        assert sent < total
        while not await response.pipe(sink):
            pass
        assert received == total
        response.close()
        assert asked.kept == 1


@both_loops
async def test_what_a_sink_raises_and_what_breaks_reach_who_pipes() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS)
        await asyncio.sleep(0.01)
        await connection.write(b"5\r\nhello\r\n")
        await asyncio.sleep(0.01)
        connection.close()

    def refuse(data: bytes) -> bool:
        raise ZeroDivisionError(data)

    async with asking(RawPeer(respond)) as asked:
        response = await asked.send()
        with pytest.raises(ZeroDivisionError):
            await response.pipe(refuse)
        response.close()
        pieces: list[bytes] = []
        response = await asked.send()
        with pytest.raises(Broken):
            await response.pipe(lambda data: pieces.append(data) is None)
        assert pieces == [b"hello"]
        response.close()
        assert asked.kept == 0


@both_loops
async def test_a_pipe_that_is_cancelled_gives_its_sink_nothing_more() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS)

    peer, pieces = RawPeer(respond), []
    async with asking(peer) as asked:
        response = await asked.send()
        piping = asyncio.create_task(response.pipe(lambda data: pieces.append(data) is None))
        await asyncio.sleep(0)
        piping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await piping
        await peer.connections[0].write(b"5\r\nhello\r\n")
        assert await response.readany() == b"hello"
        assert pieces == []
        response.close()


@both_loops
async def test_a_reader_that_waits_holds_the_server_up() -> None:
    piece, total = bytes(50_000), 50_000_000
    sent = 0

    async def respond(connection: RawConnection, _: bytes) -> None:
        nonlocal sent
        await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while sent < total:
            await connection.write(piece)
            sent += len(piece)

    async with asking(RawPeer(respond)) as asked:
        response = await asked.send()
        await eventually(lambda: response._connection._paused)
        received = largest = 0
        while received < total:
            largest = max(largest, response._buffered)
            received += len(await response.readany())
            # Nothing is lost, and what nobody has read yet stays small.
            await asyncio.sleep(0)
        assert MAX_BUFFERED_BYTES < largest < 2**20
        assert received == total
        assert await response.readany() == b""
        response.close()
        assert asked.kept == 1


# Cancellation, wherever it arrives.


async def cancel(task: asyncio.Task) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@both_loops
async def test_a_request_that_is_cancelled_while_it_connects_leaves_nothing() -> None:
    with FullQueue() as queue:
        async with open_client(UpstreamsSection(connect_timeout_s=300)) as client:
            before = open_sockets()
            asked = Asking(client, f"http://127.0.0.1:{queue.socket.getsockname()[1]}")
            task = asyncio.create_task(asked.send())
            await eventually(lambda: open_sockets() > before)
            await cancel(task)
            assert open_sockets() == before


@both_loops
async def test_and_in_a_tls_handshake() -> None:
    taken = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(await reader.read(1))
        taken.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server, open_client() as client:
        asked = Asking(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        task = asyncio.create_task(asked.send())
        await eventually(lambda: len(taken) == 1)
        await cancel(task)
        await eventually(lambda: len(taken) == 2)


@both_loops
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_and_while_it_waits_for_a_head(said) -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(said)

    peer = RawPeer(respond)
    async with asking(peer) as asked:
        task = asyncio.create_task(asked.send())
        await eventually(lambda: peer.requests)
        await cancel(task)
        await eventually(peer.connections[0].ended.is_set)


@both_loops
async def test_and_while_it_reads() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS)

    peer = RawPeer(respond)
    async with asking(peer) as asked:
        task = asyncio.create_task(asked.ask())
        await eventually(lambda: peer.requests)
        await asyncio.sleep(0)
        await cancel(task)
        await eventually(peer.connections[0].ended.is_set)


@both_loops
async def test_a_client_that_closes_ends_what_runs() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS)

    peer = RawPeer(respond)
    async with peer.listening() as port:
        async with open_client() as client:
            asked = Asking(client, f"http://127.0.0.1:{port}")
            response = await asked.send()
        with pytest.raises(Broken):
            await response.readany()
        with pytest.raises(NotSent):
            await asked.send()


# Time.


@standing
async def test_an_answer_that_does_not_begin_in_time_is_given_up() -> None:
    async def respond(_: RawConnection, __: bytes) -> None: ...

    loop, peer = asyncio.get_running_loop(), RawPeer(respond)
    async with asking(peer, first_byte_timeout_s=3) as asked:
        task = asyncio.create_task(asked.send())
        await eventually(lambda: peer.requests)
        loop.advance(3)
        with pytest.raises(NoFirstByte):
            await task
        await eventually(peer.connections[0].ended.is_set)


@standing
async def test_and_one_that_has_begun_has_all_the_time_it_needs() -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(ENDLESS)

    loop, peer = asyncio.get_running_loop(), RawPeer(respond)
    async with asking(peer, first_byte_timeout_s=3) as asked:
        response = await asked.send()
        loop.advance(100)
        task = asyncio.create_task(response.readany())
        await asyncio.sleep(0)
        await peer.connections[0].write(b"5\r\nhello\r\n")
        assert await task == b"hello"
        response.close()


# Names and addresses.


@both_loops
async def test_an_ipv6_address_is_dialled() -> None:
    peer = RawPeer()
    async with asking(peer, host="::1") as asked:
        await asked.ask()
    assert b"\r\nhost: [::1]:" in peer.requests[0]


def resolve_as(loop: asyncio.AbstractEventLoop, *addresses: str) -> list[str]:
    """Let engine.test have those addresses, and return the times that it is asked for."""
    asked, resolve = [], partial(type(loop).getaddrinfo, loop)

    async def answer(host: str, port: int, **more: Any) -> list[Any]:
        if host != "engine.test":
            return await resolve(host, port, **more)
        asked.append(host)
        found = [await resolve(address, port, **more) for address in addresses]
        return [info for infos in found for info in infos]

    loop.getaddrinfo = answer
    return asked


@both_loops
async def test_a_name_of_one_family_or_both_is_reached_where_it_answers() -> None:
    loop, peer = asyncio.get_running_loop(), RawPeer()
    for addresses in (["127.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.1", "::1"]):
        names = resolve_as(loop, *addresses)
        async with peer.listening() as port, open_client() as client:
            asked = Asking(client, f"http://engine.test:{port}")
            await asked.ask()
            await asked.ask(new_connection=True)
            # It is believed for ten seconds.
            assert names == ["engine.test"]
    names = resolve_as(loop, "::1")
    async with peer.listening("::1") as port, open_client() as client:
        await Asking(client, f"http://engine.test:{port}").ask()


@both_loops
async def test_an_address_that_does_not_answer_does_not_hold_the_other_up() -> None:
    loop, peer = asyncio.get_running_loop(), RawPeer()
    async with peer.listening() as port:
        with FullQueue(family=socket.AF_INET6, port=port):
            resolve_as(loop, "::1", "127.0.0.1")
            async with open_client(UpstreamsSection(connect_timeout_s=300)) as client:
                assert await Asking(client, f"http://engine.test:{port}").ask() == b"{}"


@both_loops
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "http://127.0.0.1:port",
        "http://",
        "http://name.invalid:80",
        "http://a b:80",
        "http://" + "x" * 300 + ":80",
    ],
)
async def test_what_cannot_be_reached_was_not_sent(url) -> None:
    async with open_client() as client:
        with pytest.raises(NotSent):
            await Asking(client, url).send()


def test_a_header_is_one_line() -> None:
    for value in ("a\r\nb: c", "a\nb", "a\0b", "a\rb"):
        with pytest.raises(ValueError, match="x-key"):
            header_line("x-key", value)
    assert header_line("x-key", "ä") == "x-key: ä\r\n".encode()


@both_loops
async def test_credentials_in_a_url_are_sent_as_a_header() -> None:
    peer = RawPeer()
    async with peer.listening() as port, open_client() as client:
        await Asking(client, f"http://me:p%40ss@127.0.0.1:{port}/v1").ask()
    assert b"\r\nauthorization: Basic bWU6cEBzcw==\r\n" in peer.requests[0]
    assert b"me:p" not in peer.requests[0]


# TLS.


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    make_authority(folder)
    return folder


def server_tls(authority: Path, *, wants_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority / "ca.pem")
    return context


@both_loops
async def test_tls_names_its_host_and_keeps_its_connection(authority) -> None:
    names, peer, tls = [], RawPeer(), server_tls(authority)
    tls.sni_callback = lambda _, name, __: names.append(name)
    settings = UpstreamsSection(ca_file=authority / "ca.pem")
    async with peer.listening("127.0.0.1", tls) as port, open_client(settings) as client:
        asked = Asking(client, f"https://localhost:{port}")
        assert [await asked.ask(), await asked.ask()] == [b"{}", b"{}"]
        assert asked.kept == 1
        await asked.ask(body=bytes(2**20))
        response = await asked.send()
        response.close()
    assert names[0] == "localhost"


@both_loops
@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_certificate_that_is_not_trusted_gets_no_request(authority, wrong) -> None:
    peer = RawPeer()
    settings = UpstreamsSection(ca_file=authority / "ca.pem" if wrong == "name" else None)
    resolve_as(asyncio.get_running_loop(), "127.0.0.1")
    host = "localhost" if wrong == "authority" else "engine.test"
    async with (
        peer.listening("127.0.0.1", server_tls(authority)) as port,
        open_client(settings) as client,
    ):
        with pytest.raises(NotTrusted):
            await Asking(client, f"https://{host}:{port}").send()
    assert not peer.requests


@both_loops
async def test_a_server_can_ask_for_a_certificate(authority) -> None:
    peer, tls = RawPeer(), server_tls(authority, wants_client=True)
    own = {
        "client_certificate": authority / "client.pem",
        "client_key": authority / "client.key",
    }
    async with peer.listening("127.0.0.1", tls) as port:
        for certificate in (own, {}):
            settings = UpstreamsSection(ca_file=authority / "ca.pem", **certificate)
            async with open_client(settings) as client:
                asked = Asking(client, f"https://localhost:{port}")
                if certificate:
                    assert await asked.ask() == b"{}"
                else:
                    with pytest.raises(HttpError):
                        await asked.ask()
    assert len(peer.requests) == 1


@asynccontextmanager
async def delayed(port: int) -> AsyncIterator[tuple[int, asyncio.Event, asyncio.Event]]:
    """A relay to `port` which holds everything back: its own port, `waits`, and what opens it."""
    waits, opened, tasks = asyncio.Event(), asyncio.Event(), []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            writer.write(data)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waits.set()
        await opened.wait()
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        tasks.append(asyncio.create_task(pump(there, writer)))
        await pump(reader, back)

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], waits, opened
        opened.set()
        await eventually(lambda: all(task.done() for task in tasks))


@standing
@pytest.mark.parametrize("late", [5, 10])
async def test_a_tls_handshake_has_time_of_its_own(authority, late) -> None:
    loop, peer = asyncio.get_running_loop(), RawPeer()
    settings = UpstreamsSection(ca_file=authority / "ca.pem")
    async with (
        peer.listening("127.0.0.1", server_tls(authority)) as port,
        delayed(port) as (slow, waits, opened),
        open_client(settings) as client,
    ):
        task = asyncio.create_task(Asking(client, f"https://localhost:{slow}").ask())
        await eventually(waits.is_set)
        await eventually(lambda: any(handle.when() >= 10 for handle in loop._scheduled))
        loop.advance(late)
        if late == 5:
            opened.set()
            assert await task == b"{}"
        else:
            with pytest.raises(NotSent):
                await task


# Proxies.


class Proxy(RawPeer):
    """Answers what is asked of it by the whole URL, and connects where it is asked to."""

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__(self._answer)
        self._refuses = refuses

    async def _answer(self, connection: RawConnection, request: bytes) -> None:
        method, target, _ = request.split(b" ", 2)
        if method != b"CONNECT":
            await connection.write(OK)
            return
        if self._refuses:
            await connection.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            return
        port = int(target.rpartition(b":")[2])
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await connection.write(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n")
        pump = asyncio.create_task(self._pump(there, connection.write, connection.close))

        async def write(data: bytes) -> None:
            back.write(data)

        await self._pump(connection.reader, write, back.close)
        await pump

    @staticmethod
    async def _pump(
        reader: asyncio.StreamReader,
        write: Callable[[bytes], Awaitable[None]],
        close: Callable[[], None],
    ) -> None:
        try:
            while data := await reader.read(2**16):
                await write(data)
        except ConnectionError:
            pass
        close()


@both_loops
async def test_a_proxy_is_asked_by_the_whole_url(monkeypatch) -> None:
    proxy = Proxy()
    async with (
        proxy.listening() as port,
        open_client(UpstreamsSection(proxy=f"http://127.0.0.1:{port}")) as client,
    ):
        await Asking(client, "http://engine.test/v1").ask()
    assert proxy.requests[0].startswith(b"POST http://engine.test/v1/a HTTP/1.1\r\n")
    assert b"\r\nhost: engine.test\r\n" in proxy.requests[0]


@both_loops
@pytest.mark.parametrize("refuses", [False, True])
async def test_a_proxy_connects_with_a_server_of_tls(authority, refuses) -> None:
    peer, proxy = RawPeer(), Proxy(refuses=refuses)
    async with (
        peer.listening("127.0.0.1", server_tls(authority)) as port,
        proxy.listening() as proxy_port,
        open_client(
            UpstreamsSection(ca_file=authority / "ca.pem", proxy=f"http://127.0.0.1:{proxy_port}")
        ) as client,
    ):
        asked = Asking(client, f"https://localhost:{port}")
        if refuses:
            with pytest.raises(NotSent):
                await asked.ask()
        else:
            assert [await asked.ask(), await asked.ask()] == [b"{}", b"{}"]
    assert len(proxy.requests) == 1
    assert len(peer.requests) == (0 if refuses else 2)


@both_loops
async def test_the_environment_names_no_proxy(monkeypatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with asking(RawPeer()) as asked:
        assert await asked.ask() == b"{}"


@both_loops
async def test_no_socket_is_left_by_many_requests_of_every_fate() -> None:
    async def respond(connection: RawConnection, request: bytes) -> None:
        match int(request.rpartition(b"\r\n")[2]) % 4:
            case 0:
                await connection.write(OK)
            case 1:
                await connection.write(ENDLESS)
            case 2:
                connection.abort()
            case 3:
                pass

    peer = RawPeer(respond)
    # As long as it takes a busy machine to make so many connections at once.
    async with asking(peer, connect_timeout_s=PATIENCE_S) as asked:
        asks = [partial(asked.ask, body=b"%d" % number) for number in range(200)]
        tasks = [asyncio.create_task(ask()) for ask in asks]
        await eventually(lambda: len(peer.requests) == 200)
        for number, task in enumerate(tasks):
            if number % 4 in {1, 3}:
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result == b"{}" for result in results[::4])
        assert all(isinstance(result, Broken) for result in results[2::4])
        await eventually(lambda: sum(not one.ended.is_set() for one in peer.connections) <= 50)


@both_loops
async def test_dialling_that_is_cancelled_anywhere_leaves_nothing_open() -> None:
    async with asking(RawPeer()) as asked:
        for steps in range(12):
            for _ in range(5):
                task = asyncio.create_task(asked.ask(new_connection=True))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await eventually(lambda: len(asked.client._open) == asked.kept)


async def test_of_addresses_that_are_gone_nothing_stays() -> None:
    async with RawPeer().listening() as port, open_client() as client:
        url = f"http://servers.test:{port}"
        target = client.target(url, {}, "127.0.0.1")
        gone = [client.target(url, {}, f"10.0.0.{number}") for number in range(200)]
        assert len(client._pools) == 201
        response = await target.send("GET", "/", headers={})
        await response.read()
        response.close()
        del gone, response
        gc.collect()
        [[kept]] = client._pools.values()
        assert kept.is_fresh()

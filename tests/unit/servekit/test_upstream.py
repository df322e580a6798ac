"""A request is asked again only where nothing can have come of it."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from racro.contracts.errors import (
    NotStarted,
    Overloaded,
    RacroError,
    ShuttingDown,
    UpstreamError,
    UpstreamUnavailable,
)
from racro.servekit.responses import encode
from racro.servekit.settings import UpstreamsSection
from racro.servekit.upstream import Upstream, open_client
from support.certificates import make_certificate
from support.processes import free_port
from support.rawpeer import OK, FullQueue, RawConnection, RawPeer, eventually

standing = pytest.mark.clock("standing")


def refusal(error: RacroError) -> bytes:
    """Return an answer as a service of ours sends it, and has since release 0.1."""
    body = encode(error.envelope())
    head = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


ENDING = refusal(ShuttingDown("the service is shutting down"))
FULL = refusal(Overloaded("all 5 connections (max_connections) are in use; ask again later"))
NOT_OURS = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 4\r\n\r\nfull"
LONG = ENDING[: ENDING.index(b"content-length")] + b"content-length: 1001\r\n\r\n" + bytes(1001)
BEGUN = ENDING.replace(b"connection", b"x-racro-begun: true\r\nconnection")


class Peer:
    """Gives its answers in order, whatever the connection; instead of None it hangs up."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = answers
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            assert head.startswith(b"POST /work")
            await reader.readexactly(2)
            answer = self.answers[self.asked]
            self.asked += 1
            if answer is not None:
                writer.write(answer)
            if answer != OK:
                break
        writer.close()


@pytest.fixture(params=["http1", "aiohttp"])
def upstreams(request) -> UpstreamsSection:
    return UpstreamsSection(client=request.param)


@asynccontextmanager
async def asking(
    peer: Peer | RawPeer,
    upstreams: UpstreamsSection | None = None,
    *,
    read: Callable[[bytes], object] = bool,
    piped: bool = False,
) -> AsyncIterator[Callable]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_client(upstreams) as client:
        upstream = Upstream(client, f"http://127.0.0.1:{port}", name="engine")

        async def ask() -> int:
            async with upstream.post("/work", {}) as response:
                if piped:
                    assert await response.pipe(lambda data: read(data) is None)
                else:
                    read(await response.read())
                return response.status

        yield ask


async def test_one_that_hangs_up_on_a_new_connection_may_have_begun(upstreams) -> None:
    peer = Peer(None)
    async with asking(peer, upstreams) as ask:
        with pytest.raises(UpstreamUnavailable) as failure:
            await ask()
    assert not isinstance(failure.value, NotStarted)
    assert peer.asked == 1


@standing
async def test_one_that_hangs_up_on_a_kept_connection_is_asked_once_more(upstreams) -> None:
    peer = Peer(OK, None, OK)
    async with asking(peer, upstreams) as ask:
        assert [await ask(), await ask()] == [200, 200]
    assert peer.asked == 3


async def test_one_that_is_ending_may_have_a_successor_at_its_address(upstreams) -> None:
    peer = Peer(OK, ENDING, OK)
    async with asking(peer, upstreams) as ask:
        assert [await ask(), await ask()] == [200, 200]
    assert peer.asked == 3


async def test_one_that_is_ending_and_has_no_successor_is_not_asked_for_ever(upstreams) -> None:
    peer = Peer(OK, ENDING, ENDING)
    async with asking(peer, upstreams) as ask:
        assert [await ask(), await ask()] == [200, 503]
    assert peer.asked == 3


@pytest.mark.parametrize("refusal", [FULL, NOT_OURS, LONG])
async def test_one_that_has_no_room_is_not_asked_again(upstreams, refusal) -> None:
    peer = Peer(OK, refusal)
    async with asking(peer, upstreams) as ask:
        assert [await ask(), await ask()] == [200, 503]
    assert peer.asked == 2


@pytest.mark.parametrize("piped", [False, True])
async def test_what_one_that_has_no_room_said_can_be_read(upstreams, piped) -> None:
    said: list[bytes] = []
    peer = Peer(OK, FULL)
    async with asking(peer, upstreams, read=said.append, piped=piped) as ask:
        assert [await ask(), await ask()] == [200, 503]
    assert said == [OK[-2:], FULL.partition(b"\r\n\r\n")[2]]


async def test_one_that_ends_in_the_middle_of_the_work_is_not_asked_again(upstreams) -> None:
    peer = Peer(OK, BEGUN)
    async with asking(peer, upstreams) as ask:
        assert [await ask(), await ask()] == [200, 503]
    assert peer.asked == 2


@standing
@pytest.mark.parametrize("kept", [1, 2, 5])
async def test_one_that_dies_of_a_request_gets_it_twice_at_most(upstreams, kept) -> None:
    dies = asyncio.Event()
    ready = asyncio.Barrier(kept)

    async def respond(connection: RawConnection, _: bytes) -> None:
        if dies.is_set():
            connection.abort()
        else:
            await ready.wait()
            await connection.write(OK)

    peer = RawPeer(respond)
    async with asking(peer, upstreams) as ask:
        assert await asyncio.gather(*(ask() for _ in range(kept))) == [200] * kept
        assert len(peer.connections) == kept
        dies.set()
        with pytest.raises(UpstreamUnavailable) as failure:
            await ask()
        assert not isinstance(failure.value, NotStarted)
    assert len(peer.requests) == kept + 2
    assert len(peer.connections) == kept + 1


@standing
@pytest.mark.parametrize("kept", [1, 3])
async def test_one_that_is_ending_is_asked_twice_at_most(upstreams, kept) -> None:
    ends = asyncio.Event()
    ready = asyncio.Barrier(kept)

    async def respond(connection: RawConnection, _: bytes) -> None:
        if not ends.is_set():
            await ready.wait()
        await connection.write(ENDING if ends.is_set() else OK)

    peer = RawPeer(respond)
    async with asking(peer, upstreams) as ask:
        await asyncio.gather(*(ask() for _ in range(kept)))
        ends.set()
        assert await ask() == 503
    assert len(peer.requests) == kept + 2


@standing
async def test_one_that_breaks_off_after_a_second_may_have_begun(upstreams) -> None:
    loop, works = asyncio.get_running_loop(), asyncio.Event()

    async def respond(connection: RawConnection, _: bytes) -> None:
        if len(peer.requests) == 1:
            await connection.write(OK)
        else:
            await works.wait()
            connection.abort()

    peer = RawPeer(respond)
    async with asking(peer, upstreams) as ask:
        assert await ask() == 200
        task = asyncio.create_task(ask())
        await eventually(lambda: len(peer.requests) == 2)
        loop.advance(1)
        works.set()
        with pytest.raises(UpstreamUnavailable) as failure:
            await task
        assert not isinstance(failure.value, NotStarted)
    assert len(peer.requests) == 2


@standing
async def test_one_that_had_the_request_and_went_may_have_begun(upstreams) -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        if len(peer.requests) == 1:
            await connection.write(OK)
        else:
            server.close()
            connection.abort()

    peer = RawPeer(respond)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with open_client(upstreams) as client:
        upstream = Upstream(client, url, name="engine")
        async with upstream.post("/work", {}) as response:
            await response.read()
        with pytest.raises(UpstreamUnavailable) as failure:
            async with upstream.post("/work", {}):
                pass
    assert not isinstance(failure.value, NotStarted)
    assert len(peer.requests) == 2


async def test_one_that_breaks_off_its_answer_says_so(upstreams) -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello")
        connection.close()

    async with asking(RawPeer(respond), upstreams) as ask:
        with pytest.raises(UpstreamUnavailable, match="broke off its answer") as failure:
            await ask()
    assert not isinstance(failure.value, NotStarted)


async def test_one_whose_certificate_is_not_trusted_has_begun_nothing(tmp_path, upstreams) -> None:
    make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    peer = RawPeer()
    trusting = upstreams.model_copy(update={"ca_file": tmp_path / "cert.pem"})
    async with peer.listening("127.0.0.1", tls) as port:
        for settings in (upstreams, trusting):
            async with open_client(settings) as client:
                upstream = Upstream(client, f"https://127.0.0.1:{port}", name="engine")
                if settings is trusting:
                    assert await upstream.get_json("/a") == {}
                else:
                    with pytest.raises(NotStarted, match="certificate is not trusted"):
                        await upstream.get_json("/a")


async def test_headers_of_an_answer_are_small_letters_and_several_are_one(upstreams) -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(OK.replace(b"\r\n\r\n", b"\r\nX-A: 1\r\nx-a: 2\r\n\r\n"))

    peer = RawPeer(respond)
    async with peer.listening() as port, open_client(upstreams) as client:
        upstream = Upstream(client, f"http://127.0.0.1:{port}", name="engine")
        async with upstream.request("GET", "/a", headers={"x-own": "b"}) as response:
            assert response.headers == {"content-length": "2", "x-a": "1, 2"}
            assert await response.readany() == b"{}"
            assert await response.readany() == b""
    assert b"\r\nx-own: b\r\n" in peer.requests[0]
    assert b"accept-encoding" not in peer.requests[0].lower()


async def test_a_compressed_answer_is_refused_and_not_unpacked(upstreams) -> None:
    packed = gzip.compress(bytes(2**20))
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
    async with asking(Peer(head % len(packed) + packed), upstreams) as ask:
        with pytest.raises(UpstreamError, match="the engine compressed its answer"):
            await ask()


async def test_a_body_over_the_limit_is_refused(upstreams) -> None:
    async def respond(connection: RawConnection, _: bytes) -> None:
        await connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n")
        with suppress(ConnectionError):
            for _piece in range(99):
                await connection.write(bytes(2**20))

    peer = RawPeer(respond)
    async with peer.listening() as port, open_client(upstreams) as client:
        upstream = Upstream(client, f"http://127.0.0.1:{port}", name="engine")
        with pytest.raises(UpstreamUnavailable, match="broke off"):
            async with upstream.request("GET", "/a") as response:
                await response.read()


def test_a_key_with_a_line_break_is_no_header() -> None:
    with pytest.raises(ValueError, match="authorization"):
        Upstream(open_client(), "http://127.0.0.1:1", name="engine", api_key="a\r\nb: c")


async def test_one_that_is_not_there_has_begun_nothing(upstreams) -> None:
    async with open_client(upstreams) as client:
        with pytest.raises(NotStarted):
            async with Upstream(client, "http://127.0.0.1:1", name="engine").post("/work", {}):
                pass


def on_dial(loop: asyncio.AbstractEventLoop, happens: Callable[[], Awaitable[None]]) -> None:
    connect = loop.sock_connect

    async def listen(*arguments: object) -> None:
        await happens()
        await connect(*arguments)

    loop.sock_connect = listen


@pytest.mark.clock("standing")
@pytest.mark.parametrize("opens", [True, False])
async def test_one_that_takes_no_connection_in_time_is_dialled_once_more(opens) -> None:
    peer, dials, clock = Peer(OK), [], asyncio.get_running_loop()
    with FullQueue() as queue:
        async with open_client() as client:
            url = f"http://127.0.0.1:{queue.socket.getsockname()[1]}"

            async def dialled() -> None:
                dials.append(clock.time())
                if opens and len(dials) == 2:
                    queue.empty()
                    serving.append(await asyncio.start_server(peer.serve, sock=queue.socket.dup()))
                else:
                    clock.call_soon(clock.call_soon, clock.advance, 1)

            serving: list[asyncio.Server] = []
            on_dial(clock, dialled)
            try:
                async with Upstream(client, url, name="engine").post("/work", {}) as response:
                    answer = response.status
            except NotStarted:
                answer = None
            for one in serving:
                one.close()
    assert answer == (200 if opens else None)
    assert dials == [0, 1]
    assert peer.asked == int(opens)


@pytest.mark.clock("standing")
@pytest.mark.parametrize("opens", [True, False])
async def test_one_that_refuses_connections_is_dialled_ten_times_at_once(opens) -> None:
    """A virtual IP leads to one of several servers, some of which may be gone."""
    peer, dials, clock, port = Peer(OK), [], asyncio.get_running_loop(), free_port()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_client())

        async def dialled() -> None:
            dials.append(clock.time())
            if opens and len(dials) == 10:
                server = await asyncio.start_server(peer.serve, "127.0.0.1", port)
                await stack.enter_async_context(server)

        on_dial(clock, dialled)
        upstream = Upstream(client, f"http://127.0.0.1:{port}", name="engine")
        if opens:
            async with upstream.post("/work", {}) as response:
                assert response.status == 200
        else:
            with pytest.raises(NotStarted):
                async with upstream.post("/work", {}):
                    pass
    assert dials == [0] * 10
    assert peer.asked == int(opens)

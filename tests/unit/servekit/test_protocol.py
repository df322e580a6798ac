"""The protocol towards clients, over sockets: a uvicorn with it, and requests byte for byte."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from racro.contracts.errors import RacroError
from racro.servekit.connection_limit import ConnectionLimit
from racro.servekit.drain import Drain
from racro.servekit.protocol import Connection, has_client_left
from racro.servekit.request_bounds import MAX_HEAD_BYTES
from racro.servekit.responses import error_response, read_body, send_response
from support.processes import PATIENCE_S

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"


class App:
    """Answers as its `handler` does, and keeps what became of each request."""

    def __init__(self) -> None:
        self.handler: Callable[..., Awaitable[None]] = greet
        self.drain = Drain(timeout_s=PATIENCE_S, quiet_s=0)
        self.head_timeout_s: float = PATIENCE_S
        self.body_timeout_s: float = PATIENCE_S
        self.limit = ConnectionLimit(1000)
        self.write_timeout_s: float = PATIENCE_S
        self.outcomes: asyncio.Queue[str] = asyncio.Queue()
        self.connections: list[Connection] = []

    async def __call__(self, scope, receive, send) -> None:
        try:
            await self.handler(scope, receive, send)
            self.outcomes.put_nowait("answered")
        except RacroError as error:
            self.outcomes.put_nowait(error.code)
            await error_response(error)(scope, receive, send)
        except asyncio.CancelledError:
            self.outcomes.put_nowait("client left" if has_client_left(scope) else "cancelled")


async def greet(scope, receive, send) -> None:
    body = await read_body(receive)
    await send_response(send, json.dumps([scope["method"], scope["path"], len(body)]).encode())


async def stream(scope, receive, send) -> None:
    await read_body(receive)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for piece in (b"one", b"", b"two"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def wait(scope, receive, send) -> None:
    await read_body(receive)
    await asyncio.Event().wait()


class Peer:
    """A client that sends bytes and reads the answer to its end."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.port, self.reader, self.writer = port, reader, writer

    async def read_to_end(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    async def read_head(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(b"\r\n\r\n")


@pytest.fixture
async def app() -> App:
    return App()


@pytest.fixture
async def connect(app: App) -> AsyncIterator[Callable[[], Any]]:
    def protocol(**options: Any) -> Connection:
        connection = Connection(
            drain=app.drain,
            limit=app.limit,
            head_timeout_s=app.head_timeout_s,
            body_timeout_s=app.body_timeout_s,
            write_timeout_s=app.write_timeout_s,
            **options,
        )
        app.connections.append(connection)
        return connection

    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", ws="none", http=protocol
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]

    @asynccontextmanager
    async def connect() -> AsyncIterator[Peer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Peer(port, reader, writer)
        finally:
            writer.close()

    yield connect
    server.should_exit = server.force_exit = True
    await serving


def json_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


async def test_a_connection_is_kept_and_closed_when_asked_to(connect) -> None:
    async with connect() as peer:
        for _ in range(2):
            peer.writer.write(POST)
            assert (await peer.read_head()).startswith(b"HTTP/1.1 200 OK\r\n")
            assert json.loads(await peer.reader.readexactly(len('["POST", "/", 2]')))[0] == "POST"
        peer.writer.write(GET.replace(b"host", b"connection: close\r\nhost"))
        assert b"connection: close\r\n" in await peer.read_to_end()


async def test_requests_that_come_at_once_are_answered_in_order(connect) -> None:
    async with connect() as peer:
        paths = [b"/a", b"/b%20c", b"/d"]
        last = GET.replace(b"host", b"connection: close\r\nhost")
        peer.writer.write(b"".join(POST.replace(b" / ", b" " + path + b" ") for path in paths))
        peer.writer.write(last)
        told = await peer.read_to_end()
    places = [told.index(text) for text in (b'"/a"', b'"/b c"', b'"/d"', b'"GET"')]
    assert places == sorted(places)


@pytest.mark.parametrize("size", [1, 3, 7])
async def test_it_does_not_matter_how_a_request_is_cut(connect, size: int) -> None:
    request = POST.replace(b"host", b"connection: close\r\nhost")
    async with connect() as peer:
        for at in range(0, len(request), size):
            peer.writer.write(request[at : at + size])
            await peer.writer.drain()
            await asyncio.sleep(0)
        assert json_of(await peer.read_to_end()) == ["POST", "/", 2]


@pytest.mark.parametrize(
    ("version", "framed"), [(b"1.1", b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), (b"1.0", b"onetwo")]
)
async def test_chunks_are_for_those_who_know_them(app, connect, version, framed) -> None:
    app.handler = stream
    async with connect() as peer:
        ends = b"connection: close\r\nhost"
        peer.writer.write(GET.replace(b"1.1", version).replace(b"host", ends))
        head, _, body = (await peer.read_to_end()).partition(b"\r\n\r\n")
    assert body == framed
    assert (b"transfer-encoding: chunked" in head) == (version == b"1.1")
    assert b"connection: close" in head


async def test_head_has_no_body(app, connect) -> None:
    app.handler = stream
    async with connect() as peer:
        ends = b"connection: close\r\nhost"
        peer.writer.write(GET.replace(b"GET", b"HEAD").replace(b"host", ends))
        head, _, body = (await peer.read_to_end()).partition(b"\r\n\r\n")
    assert (head.startswith(b"HTTP/1.1 200"), body) == (True, b"")


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_another_protocol_is_declined(connect, body: bytes) -> None:
    """As Java's client and curl --http2 offer h2c with their first request."""
    offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    request = b"POST / HTTP/1.1\r\nhost: x\r\n" + offer
    async with connect() as peer:
        peer.writer.write(request + b"content-length: %d\r\n\r\n" % len(body) + body)
        assert (await peer.read_head()).startswith(b"HTTP/1.1 200")
        assert json.loads(await peer.reader.readuntil(b"]")) == ["POST", "/", len(body)]
        peer.writer.write(GET)
        assert (await peer.read_head()).startswith(b"HTTP/1.1 200")


async def test_an_offer_does_not_make_http_1_0_chunked(app, connect) -> None:
    app.handler = stream
    async with connect() as peer:
        peer.writer.write(b"GET / HTTP/1.0\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n")
        head, _, body = (await peer.read_to_end()).partition(b"\r\n\r\n")
    assert (b"chunked" in head, body) == (False, b"onetwo")


async def test_many_offers_at_once_are_declined(connect) -> None:
    offer = GET.replace(b"host", b"connection: Upgrade\r\nupgrade: h2c\r\nhost")
    async with connect() as peer:
        last = GET.replace(b"host", b"connection: close\r\nhost")
        peer.writer.write(offer * 100 + last)
        assert (await peer.read_to_end()).count(b"HTTP/1.1 200 ") == 101


async def test_of_very_many_requests_at_once_the_first_is_answered(app, connect) -> None:
    answering = asyncio.Event()

    async def answer_later(scope, receive, send) -> None:
        await answering.wait()
        await greet(scope, receive, send)

    app.handler = answer_later
    async with connect() as peer:
        peer.writer.write(GET * 5000)
        asyncio.get_running_loop().call_later(0.1, answering.set)
        told = await peer.read_to_end()
    assert told.count(b"HTTP/1.1 200 ") == 1
    assert b"connection: close\r\n" in told


async def test_bodies_that_wait_are_not_read_beyond_a_bound(app, connect) -> None:
    app.handler = wait
    async with connect() as peer:
        peer.writer.write(POST + post_of(60_000) * 100)
        [connection] = app.connections
        while not connection.flow.read_paused:
            await asyncio.sleep(0.01)
        held = sum(len(cycle.body) for cycle, _ in connection.pipeline)
    assert 64 * 2**10 <= held < 2**20


async def test_bodies_that_wait_are_all_read_in_the_end(connect) -> None:
    last = post_of(60_000).replace(b"host", b"connection: close\r\nhost")
    async with connect() as peer:
        peer.writer.write(post_of(60_000) * 50 + last)
        told = await peer.read_to_end()
    assert told.count(b'["POST", "/", 60000]') == 51


async def test_a_client_that_reads_nothing_for_long_has_left(app, connect) -> None:
    async def say_much(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": bytes(2**20), "more_body": True})

    app.handler = say_much
    app.write_timeout_s = 0.1
    async with connect() as peer:
        peer.writer.write(GET)
        assert await app.outcomes.get() == "client left"


# Clients that leave.


def post_of(size: int) -> bytes:
    return POST.replace(b"length: 2", b"length: %d" % size)[:-2] + b"x" * size


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([POST], id="after its request"),
        pytest.param([POST[:-1]], id="amid its body"),
        pytest.param([POST + POST + GET], id="after several at once"),
        pytest.param([POST, POST, GET], id="after several one by one"),
        pytest.param([POST, b"garbage\r\n\r\n"], id="after garbage"),
        pytest.param([post_of(300_000)], id="after a large body"),
        pytest.param([post_of(300_000)[:90], post_of(300_000)[90:]], id="after a large later body"),
        pytest.param([post_of(100_000)[:90], post_of(100_000)[90:]], id="after a later body"),
    ],
)
async def test_a_client_that_leaves_cancels_its_request(app, connect, sent: list[bytes]) -> None:
    app.handler = wait
    async with connect() as peer:
        for piece in sent:
            peer.writer.write(piece)
            await peer.writer.drain()
            await asyncio.sleep(0.05)
    async with asyncio.timeout(PATIENCE_S):
        assert await app.outcomes.get() == "client left"
    assert app.outcomes.empty()


async def test_a_client_may_leave_once_it_has_its_answer(app, connect) -> None:
    left = asyncio.Event()

    async def linger(scope, receive, send) -> None:
        await greet(scope, receive, send)
        await left.wait()

    app.handler = linger
    async with connect() as peer:
        peer.writer.write(POST)
        await peer.read_head()
    await asyncio.sleep(0.05)
    left.set()
    async with asyncio.timeout(PATIENCE_S):
        assert await app.outcomes.get() == "answered"


async def test_a_slow_reader_holds_its_answer_up(app, connect) -> None:
    written = 0

    async def pour(scope, receive, send) -> None:
        nonlocal written
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while written < 2**28:
            await send({"type": "http.response.body", "body": b"x" * 2**16, "more_body": True})
            written += 2**16

    app.handler = pour
    async with connect() as peer:
        peer.writer.write(GET)
        await peer.read_head()
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.1)
        assert written < 2**26
    async with asyncio.timeout(PATIENCE_S):
        assert await app.outcomes.get() == "client left"


# Bounds.


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"x: " + b"y" * MAX_HEAD_BYTES, id="one header without end"),
        pytest.param(b"x: y\r\n" * (MAX_HEAD_BYTES // 5) + b"\r\n", id="many headers"),
        pytest.param(b"x: " + b"y" * MAX_HEAD_BYTES + b"\r\n\r\n", id="one large header"),
    ],
)
async def test_a_large_head_is_refused(app, connect, head: bytes) -> None:
    async with connect() as peer:
        peer.writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n" + head)
        told = await peer.read_to_end()
    assert told.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close\r\n" in told
    error = json_of(told)["error"]
    assert (error["code"], "32768" in error["message"]) == ("headers_too_large", True)
    assert app.outcomes.empty()


async def test_a_long_url_is_part_of_the_head(connect) -> None:
    async with connect() as peer:
        peer.writer.write(GET.replace(b"/ ", b"/" + b"a" * MAX_HEAD_BYTES + b" "))
        assert (await peer.read_to_end()).startswith(b"HTTP/1.1 431 ")


async def test_bodies_are_not_part_of_the_head(connect) -> None:
    async with connect() as peer:
        large = b"x" * (4 * MAX_HEAD_BYTES)
        for _ in range(2):
            head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(large)
            peer.writer.write(head + large)
            assert (await peer.read_head()).startswith(b"HTTP/1.1 200")
            await peer.reader.readuntil(b"]")


async def test_a_head_that_comes_behind_a_large_body_is_not_taken_for_large(connect) -> None:
    large = b"x" * (4 * MAX_HEAD_BYTES)
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(large)
    last = GET.replace(b"host", b"connection: close\r\nhost")
    for cut in (1, 20, len(last) - 1):
        async with connect() as peer:
            peer.writer.write(head + large + last[:cut])
            assert (await peer.read_head()).startswith(b"HTTP/1.1 200")
            peer.writer.write(last[cut:])
            assert (await peer.read_to_end()).count(b"HTTP/1.1 200 ") == 1


@pytest.mark.parametrize("begun", [b"", GET[:-2]])
async def test_a_head_that_does_not_come_ends_the_connection(app, connect, begun) -> None:
    app.head_timeout_s = 0.3
    async with connect() as peer:
        peer.writer.write(begun)
        told = await peer.read_to_end()
    # On a busy machine it may end before it has begun.
    assert told.startswith(b"HTTP/1.1 408 ") if begun and told else told == b""


async def test_the_next_head_on_a_kept_connection_is_timed_too(app, connect) -> None:
    app.head_timeout_s, told = 0.3, b""
    while not told.startswith(b"HTTP/1.1 200 "):  # On a busy machine the first may be late, too.
        async with connect() as peer:
            peer.writer.write(GET)
            await asyncio.sleep(0.01)
            peer.writer.write(GET[:5])
            told = await peer.read_to_end()
    assert b"HTTP/1.1 408 " in told


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (POST[:-2], b""),
        (POST[:-2], b"{"),
        (post_of(300_000)[:-300_000], b"x" * 200_000),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n{"),
    ],
    ids=["none", "half", "large", "chunked"],
)
async def test_a_body_that_does_not_come_is_refused(app, connect, head, body) -> None:
    app.body_timeout_s = 0.3
    async with connect() as peer:
        peer.writer.write(head + body)
        told = await peer.read_to_end()
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close\r\n" in told
    assert json_of(told)["error"]["code"] == "request_timeout"
    assert await app.outcomes.get() == "request_timeout"


async def test_a_body_that_comes_too_slowly_is_refused(app, connect) -> None:
    app.body_timeout_s = 0.5
    async with connect() as peer:
        peer.writer.write(post_of(10_000)[:-10_000])
        while app.outcomes.empty():
            peer.writer.write(b"x")
            await asyncio.sleep(0.05)
        assert (await peer.read_head()).startswith(b"HTTP/1.1 408 ")
    assert await app.outcomes.get() == "request_timeout"


async def test_a_body_is_timed_only_while_it_is_waited_for(app, connect) -> None:
    async def answer_late(scope, receive, send) -> None:
        await receive()
        await asyncio.sleep(1)
        await greet(scope, receive, send)

    app.handler, app.body_timeout_s = answer_late, 0.2
    async with connect() as peer:
        peer.writer.write(POST[:-1])
        await asyncio.sleep(0.5)
        peer.writer.write(POST[-1:])
        assert (await peer.read_head()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("lingering", [True, False])
async def test_a_connection_too_many_is_refused_in_words(app, connect, lingering) -> None:
    app.limit = ConnectionLimit(1)
    if not lingering:
        app.limit.open = -100
    async with connect() as first:
        first.writer.write(GET)
        await first.read_head()
        app.limit.most = app.limit.open
        async with connect() as second:
            head, _, told = (await second.read_to_end()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: 1\r\n" in head
            assert b"\r\nconnection: close" in head
            assert json.loads(told)["error"]["code"] == "overloaded"
        await first.reader.readuntil(b"]")
        first.writer.write(GET)
        assert (await first.read_head()).startswith(b"HTTP/1.1 200 ")
    before = app.limit.open
    while app.limit.open == before:
        await asyncio.sleep(0.01)
    async with connect() as third:
        third.writer.write(GET)
        assert (await third.read_head()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"hello\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"CONNECT /x HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\nxx",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n",
    ],
    ids=str,
)
async def test_what_is_no_http_is_refused_with_our_envelope(connect, request_bytes) -> None:
    async with connect() as peer:
        peer.writer.write(request_bytes)
        told = await peer.read_to_end()
    assert told.startswith(b"HTTP/1.1 400 ")
    assert json_of(told)["error"]["code"] == "invalid_request"


async def test_garbage_behind_a_request_does_not_harm_its_answer(connect) -> None:
    async with connect() as peer:
        peer.writer.write(POST + b"garbage\r\n\r\n")
        told = await peer.read_to_end()
    assert told.startswith(b"HTTP/1.1 200 ")
    assert told.count(b"HTTP/1.1") == 1
    assert json_of(told) == ["POST", "/", 2]


@pytest.mark.parametrize("sent", [POST + b"\r\n", post_of(9)[:-4]], ids=["crlf", "half a body"])
async def test_a_connection_without_a_request_under_way_ends(app, connect, sent: bytes) -> None:
    async def answer_early(scope, receive, send) -> None:
        await send_response(send, b"{}")

    app.handler, app.head_timeout_s = answer_early, 0.3
    async with connect() as peer:
        peer.writer.write(sent)
        await peer.reader.read(1)
        peer.writer.write(b"\r\n")
        await peer.read_to_end()


async def test_a_header_that_would_split_the_answer_is_not_sent(app, connect) -> None:
    async def inject(scope, receive, send) -> None:
        await send_response(send, b"", headers=[(b"x", b"a\r\nset-cookie: b")])

    app.handler = inject
    async with connect() as peer:
        peer.writer.write(GET)
        told = await peer.read_head()
    assert told.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in told


async def test_a_process_that_drains_closes_connections_with_its_answers(app, connect) -> None:
    async with connect() as peer:
        peer.writer.write(GET)
        assert b"connection: close" not in await peer.read_head()
        await peer.reader.readuntil(b"]")
        app.drain.begin()
        peer.writer.write(GET)
        assert b"connection: close\r\n" in await peer.read_to_end()


@pytest.mark.parametrize("handler", [greet, stream])
async def test_a_request_leaves_nothing_for_the_collector(app, connect, handler) -> None:
    app.handler = handler
    async with connect() as peer:
        gc.collect()
        gc.disable()
        try:
            for _ in range(50):
                peer.writer.write(POST)
                await peer.read_head()
                await app.outcomes.get()
            assert gc.collect() < 50
        finally:
            gc.enable()

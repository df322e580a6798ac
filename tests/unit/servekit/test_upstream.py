"""A request is asked again only where nothing can have come of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from racro.contracts.errors import NotStarted, UpstreamUnavailable
from racro.servekit.upstream import Upstream, open_client
from support.rawpeer import FullQueue

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
ENDING = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
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


@asynccontextmanager
async def asking(peer: Peer) -> AsyncIterator[Callable]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_client() as client:
        upstream = Upstream(client, f"http://127.0.0.1:{port}", name="engine")

        async def ask() -> int:
            async with upstream.post("/work", {}) as response:
                await response.read()
                return response.status

        yield ask


async def test_one_that_hangs_up_on_a_new_connection_may_have_begun() -> None:
    peer = Peer(None)
    async with asking(peer) as ask:
        with pytest.raises(UpstreamUnavailable) as failure:
            await ask()
    assert not isinstance(failure.value, NotStarted)
    assert peer.asked == 1


async def test_one_that_hangs_up_on_a_kept_connection_is_asked_once_more() -> None:
    peer = Peer(OK, None, OK)
    async with asking(peer) as ask:
        assert [await ask(), await ask()] == [200, 200]
    assert peer.asked == 3


async def test_one_that_is_ending_may_have_a_successor_at_its_address() -> None:
    peer = Peer(OK, ENDING, OK)
    async with asking(peer) as ask:
        assert [await ask(), await ask()] == [200, 200]
    assert peer.asked == 3


async def test_one_that_is_ending_and_has_no_successor_is_not_asked_for_ever() -> None:
    peer = Peer(OK, ENDING, ENDING)
    async with asking(peer) as ask:
        assert [await ask(), await ask()] == [200, 503]
    assert peer.asked == 3


async def test_one_that_ends_in_the_middle_of_the_work_is_not_asked_again() -> None:
    peer = Peer(OK, BEGUN)
    async with asking(peer) as ask:
        assert [await ask(), await ask()] == [200, 503]
    assert peer.asked == 2


async def test_one_that_is_not_there_has_begun_nothing() -> None:
    async with open_client() as client:
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

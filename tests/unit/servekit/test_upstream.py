"""A request is asked again only where nothing can have come of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from racro.contracts.errors import NotBegun, UpstreamUnavailable
from racro.servekit.upstream import Upstream, open_session

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Peer:
    """Answers the requests that `answers` allows, by their number; before others it hangs up."""

    def __init__(self, answers: Callable[[int], bool]) -> None:
        self.answers = answers
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            assert head.startswith(b"POST /work")
            await reader.readexactly(2)
            self.asked += 1
            if not self.answers(self.asked):
                break
            writer.write(OK)
        writer.close()


@asynccontextmanager
async def asking(peer: Peer) -> AsyncIterator[Callable]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_session() as session:
        upstream = Upstream(session, f"http://127.0.0.1:{port}", name="engine")

        async def ask() -> None:
            async with upstream.post("/work", {}) as response:
                assert await response.read() == b"{}"

        yield ask


async def test_one_that_hangs_up_on_a_new_connection_may_have_begun() -> None:
    peer = Peer(lambda number: False)
    async with asking(peer) as ask:
        with pytest.raises(UpstreamUnavailable) as failure:
            await ask()
    assert not isinstance(failure.value, NotBegun)
    assert peer.asked == 1


async def test_one_that_hangs_up_on_a_kept_connection_is_asked_once_more() -> None:
    peer = Peer(lambda number: number != 2)
    async with asking(peer) as ask:
        await ask()
        await ask()
    assert peer.asked == 3


async def test_one_that_is_not_there_has_begun_nothing() -> None:
    async with open_session() as session:
        with pytest.raises(NotBegun):
            async with Upstream(session, "http://127.0.0.1:1", name="engine").post("/work", {}):
                pass

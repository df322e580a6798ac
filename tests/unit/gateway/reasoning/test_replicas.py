"""Which replica gets a request, and when another one gets it instead."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager

import pytest

from gateway.reasoning.replicas import Replica, Replicas
from gateway.tenancy.tenants import ANYBODY
from racro.contracts.errors import UpstreamError, UpstreamUnavailable
from racro.servekit.settings import UpstreamsSection
from racro.servekit.upstream import Response, Upstream, open_client
from support.processes import free_port
from support.rawpeer import RawConnection, RawPeer, eventually
from support.scripted import Fixed, ScriptedServer
from support.tenants import queue

BUSY = Fixed(status=503)


@pytest.fixture
def servers() -> Iterator[list[ScriptedServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ScriptedServer()) for _ in range(2)]


@asynccontextmanager
async def replicas(
    urls: Sequence[str], upstreams: UpstreamsSection | None = None
) -> AsyncIterator[Replicas]:
    async with open_client(upstreams) as client:
        yield Replicas([Replica(Upstream(client, url, name="reasoner")) for url in urls])


def request_to(asked: Replicas) -> AbstractAsyncContextManager[Response]:
    return asked.post("/v1/chat/completions", {}, queue().ticket(ANYBODY))


async def status_of(asked: Replicas) -> int:
    async with request_to(asked) as response:
        await response.read()
        return response.status


def chats(servers: list[ScriptedServer]) -> list[int]:
    return [len(server.chats) for server in servers]


async def test_one_that_cannot_be_reached_is_passed_over(servers) -> None:
    async with replicas([f"http://127.0.0.1:{free_port()}", servers[0].url]) as both:
        assert [await status_of(both) for _ in range(8)] == [200] * 8


@pytest.mark.parametrize("refusal", [BUSY, Fixed(status=529)], ids=["503", "529"])
async def test_one_that_refuses_is_passed_over(servers, refusal) -> None:
    servers[0].script.fixed["/v1/chat/completions"] = refusal
    async with replicas([server.url for server in servers]) as both:
        assert [await status_of(both) for _ in range(8)] == [200] * 8


async def test_a_503_of_one_that_has_started_is_the_answer(servers) -> None:
    for server in servers:
        server.script.status = 503
        server.script.headers = {"x-racro-begun": "true"}
    async with replicas([server.url for server in servers]) as both:
        assert await status_of(both) == 503
    assert sum(chats(servers)) == 1


async def test_one_that_failed_is_asked_last_until_a_check_finds_it_up(servers) -> None:
    servers[0].script.fixed["*"] = BUSY
    async with replicas([server.url for server in servers]) as both:
        assert await both.get_json("/v1/models")
        servers[0].reset()
        assert [await status_of(both) for _ in range(4)] == [200] * 4
        assert chats(servers) == [0, 4]
        await both.get_json("/v1/models")
        async with request_to(both), request_to(both):
            # Each has one in flight.
            assert chats(servers)[0] == 1


@pytest.mark.clock("standing")
@pytest.mark.parametrize("first_byte_timeout_s", [None, 20])
async def test_one_that_hangs_gets_no_further_request(servers, first_byte_timeout_s) -> None:
    """With a time for the first byte or without, where a client waits for long and leaves."""
    hung, loop = servers[0], asyncio.get_running_loop()
    hung.script.held_at = 0
    upstreams = UpstreamsSection(first_byte_timeout_s=first_byte_timeout_s)
    async with replicas([server.url for server in servers], upstreams) as both:
        while not hung.chats:
            asking = asyncio.create_task(status_of(both))
            await eventually(lambda task=asking: task.done() or hung.chats)
        loop.advance(first_byte_timeout_s or 30)
        if first_byte_timeout_s is None:
            asking.cancel()
        with pytest.raises((UpstreamError, asyncio.CancelledError)):
            await asking
        assert [await status_of(both) for _ in range(4)] == [200] * 4
    assert len(hung.chats) == 1


async def test_one_that_is_ending_gets_no_further_request(servers) -> None:
    servers[0].script.headers = {"x-racro-ending": "true"}
    async with replicas([server.url for server in servers]) as both:
        assert [await status_of(both) for _ in range(8)] == [200] * 8
    assert chats(servers)[0] <= 1


async def test_without_any_there_is_an_error() -> None:
    async with replicas([f"http://127.0.0.1:{free_port()}"] * 2) as none:
        with pytest.raises(UpstreamError):
            await none.get_json("/v1/models")
        with pytest.raises(UpstreamError):
            await status_of(none)


async def killed(connection: RawConnection, _: bytes) -> None:
    connection.abort()


@asynccontextmanager
async def behind_killed(count: int, *urls: str) -> AsyncIterator[tuple[Replicas, list[RawPeer]]]:
    """Replicas of which the first `count` are killed by what they are asked."""
    peers = [RawPeer(killed) for _ in range(count)]
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(peer.listening()) for peer in peers]
        asked = [*(f"http://127.0.0.1:{port}" for port in ports), *urls]
        yield await stack.enter_async_context(replicas(asked)), peers


async def test_one_that_is_killed_before_its_answer_costs_no_request(servers) -> None:
    async with behind_killed(1, servers[0].url) as (both, peers):
        assert [await status_of(both) for _ in range(12)] == [200] * 12
        assert both.problem in {None, "1 of 2 copies is down"}
    assert len(peers[0].requests) <= 1


async def test_what_kills_two_is_sent_nowhere_else() -> None:
    async with behind_killed(4) as (all_four, peers):
        with pytest.raises(UpstreamUnavailable):
            await status_of(all_four)
    assert sum(len(peer.requests) for peer in peers) == 2


@pytest.mark.parametrize("probes_each", [True, False])
async def test_of_a_paid_server_with_several_addresses_one_is_probed(probes_each) -> None:
    with ScriptedServer() as server:
        async with open_client() as client:
            upstreams = [Upstream(client, f"{server.url}/v1", name="reasoner") for _ in range(3)]
            one_url = [Replica(upstream, url=server.url) for upstream in upstreams]
            await Replicas(one_url, probes_each=probes_each).get_json("/models")
    assert server.listed == (3 if probes_each else 1)


async def test_a_replica_that_is_paid_for_is_rechecked_no_sooner_than_it_may_be() -> None:
    with ScriptedServer() as server:
        async with open_client(None) as client:
            upstream = Upstream(client, f"{server.url}/v1", name="reasoner")
            paid, free = Replica(upstream, recheck_every_s=60), Replica(upstream)
            for _ in range(3):
                await paid.recheck()
            assert server.listed == 1
            for _ in range(3):
                await free.recheck()
            assert server.listed == 4
            # Readiness asks it, whenever that is.
            await Replicas([paid]).reach("/models")
            await paid.recheck()
            assert server.listed == 5

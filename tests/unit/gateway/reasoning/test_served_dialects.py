"""Which APIs a reasoner's server is believed to serve, and what it is asked for that."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from gateway.reasoning.replicas import Replica, Replicas
from gateway.reasoning.served_dialects import ServedDialects
from gateway.settings import ReasonerSection
from racro.contracts.errors import DialectUnsupported, UpstreamUnavailable
from racro.servekit.responses import encode
from racro.servekit.upstream import Upstream, open_client
from support.processes import free_port
from support.scripted import Fixed, ScriptedServer

ALL = ("/v1/responses", "/v1/messages", "/v1/messages/count_tokens")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


class Clock:
    """A clock in seconds that stands still until it is set."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def dialects(
    *urls: str, now: Clock | None = None, **settings
) -> AsyncIterator[ServedDialects]:
    section = ReasonerSection(url=urls[0], model="scripted", **settings)
    async with open_client() as client:
        replicas = Replicas([Replica(Upstream(client, url, name="reasoner")) for url in urls])
        yield ServedDialects("r1", section, replicas, now=now or Clock())


def without(server: ScriptedServer, *paths: str, status: int = 404) -> None:
    for path in paths:
        server.script.fixed[path] = Fixed(status=status)


def tell(server: ScriptedServer, dialects: object) -> None:
    listing = {"data": [{"id": "other"}, {"id": "scripted", "dialects": dialects}]}
    server.script.fixed["/v1/models"] = Fixed(body=encode(listing))


async def test_a_server_that_has_a_path_serves_it_and_generates_nothing(server) -> None:
    async with dialects(f"{server.url}/v1") as served:
        for api in ("chat", "responses", "messages", "count_tokens"):
            await served.check(api)
    assert (server.probed, server.asked) == ([*ALL], [])


@pytest.mark.parametrize("status", [404, 405, 410, 501, 202])
async def test_one_that_has_not_is_told_with_those_it_has(server, status) -> None:
    """LM Studio reports a success under every path."""
    without(server, "/v1/messages", status=status)
    async with dialects(f"{server.url}/v1") as served:
        with pytest.raises(DialectUnsupported) as raised:
            await served.check("messages")
        with pytest.raises(DialectUnsupported):
            await served.check("count_tokens")
    error = raised.value
    assert (error.status, error.code, error.param) == (400, "dialect_unsupported", "model")
    assert error.message == (
        "the reasoner r1 does not serve /v1/messages; "
        "it serves /v1/chat/completions and /v1/responses"
    )


@pytest.mark.parametrize("status", [400, 401, 415, 422, 429, 500])
async def test_whatever_else_refuses_the_question_has_the_path(server, status) -> None:
    """llama.cpp says 500 of messages that are not there."""
    without(server, "/v1/messages", status=status)
    async with dialects(f"{server.url}/v1") as served:
        await served.check("messages")


async def test_messages_may_be_served_without_a_count_of_tokens(server) -> None:
    without(server, "/v1/messages/count_tokens")
    async with dialects(f"{server.url}/v1") as served:
        await served.check("messages")
        with pytest.raises(DialectUnsupported, match=r"count_tokens; it serves .*/v1/messages$"):
            await served.check("count_tokens")


async def test_what_the_settings_declare_is_asked_of_nobody(server) -> None:
    async with dialects(f"{server.url}/v1", dialects=["responses"]) as served:
        await served.check("responses")
        for api in ("chat", "messages", "count_tokens"):
            with pytest.raises(DialectUnsupported, match=r"it serves /v1/responses$"):
                await served.check(api)
    assert (server.probed, server.listed) == ([], 0)


async def test_what_a_model_card_tells_is_believed(server) -> None:
    tell(server, ["chat", "messages", 7])
    async with dialects(f"{server.url}/v1") as served:
        await served.check("messages")
        with pytest.raises(DialectUnsupported):
            await served.check("responses")
    assert server.probed == []


@pytest.mark.parametrize("told", [None, "all", {"chat": True}])
async def test_a_card_that_tells_nothing_is_no_answer(server, told) -> None:
    tell(server, told)
    async with dialects(f"{server.url}/v1") as served:
        await served.check("responses")
    assert server.probed == ["/v1/responses"]


async def test_a_server_whose_revision_is_set_is_not_asked_for_its_models(server) -> None:
    async with dialects(f"{server.url}/v1", revision="r1") as served:
        await served.check("responses")
    assert (server.probed, server.listed) == (["/v1/responses"], 0)


async def test_all_who_need_to_know_share_one_question(server) -> None:
    async with dialects(f"{server.url}/v1") as served:
        await asyncio.gather(*(served.check("responses") for _ in range(10)))
    assert (server.probed, server.listed) == (["/v1/responses"], 1)


async def test_what_is_served_is_believed_longer_than_what_is_not(server) -> None:
    without(server, "/v1/messages")
    clock = Clock()
    async with dialects(f"{server.url}/v1", now=clock) as served:

        async def ask() -> None:
            await served.check("responses")
            with pytest.raises(DialectUnsupported):
                await served.check("messages")

        await ask()
        clock.seconds = 29
        await ask()
        assert server.probed == ["/v1/responses", "/v1/messages"]
        clock.seconds = 30
        await ask()
        assert server.probed == ["/v1/responses", "/v1/messages", "/v1/messages"]
        server.reset()
        clock.seconds = 600
        await served.check("messages")
        await served.check("responses")
        assert server.probed == ["/v1/messages", "/v1/responses"]


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_one_that_cannot_be_reached_is_asked_again_at_once(server, status) -> None:
    """It is not taken to lack what it was asked for."""
    without(server, "*", status=status)
    async with dialects(f"{server.url}/v1") as served:
        for _ in range(2):
            with pytest.raises(UpstreamUnavailable):
                await served.check("messages")
        server.reset()
        await served.check("messages")


async def test_what_was_known_of_a_server_holds_while_it_is_away(server) -> None:
    clock = Clock()
    async with dialects(f"{server.url}/v1", now=clock) as served:
        await served.check("messages")
        without(server, "*", status=503)
        clock.seconds = 3600
        await served.check("messages")


async def test_a_copy_that_is_away_is_passed_over(server) -> None:
    gone = f"http://127.0.0.1:{free_port()}/v1"
    async with dialects(gone, f"{server.url}/v1") as served:
        for api in ("responses", "messages"):
            await served.check(api)
    assert server.probed == ["/v1/responses", "/v1/messages"]

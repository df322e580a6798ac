"""How a reasoner is found by a name, and what a request to it has."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.reasoning.reasoners import Reasoner, Reasoners
from gateway.reasoning.served_dialects import Api
from gateway.settings import ReasonerSection
from gateway.tenancy.tenants import ANYBODY
from racro.contracts.errors import UnknownModel
from racro.servekit.upstream import open_client
from support.scripted import ScriptedServer
from support.tenants import tenant

URL = "http://127.0.0.1:1/v1"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.script.plain = {}
        yield server


@asynccontextmanager
async def reasoners(**sections: dict[str, Any]) -> AsyncIterator[Reasoners]:
    settings = {
        name: ReasonerSection.model_validate({"url": URL, "model": "m", **section})
        for name, section in sections.items()
    }
    async with open_client() as client:
        yield Reasoners(settings, client)


async def test_a_tenant_s_reasoners_are_its_own_under_every_name() -> None:
    async with reasoners(
        small={"also_known_as": ["gpt-*"]}, large={"also_known_as": ["*"]}
    ) as all_:
        allowed = tenant("acme", reasoners=("large",))
        assert all_.get("claude", allowed).name == "large"
        # The name is the small one's, whoever asks.
        for name in ("small", "gpt-5"):
            assert all_.get(name, ANYBODY).name == "small"
            with pytest.raises(UnknownModel):
                all_.get(name, allowed)


async def test_the_names_change_with_the_settings() -> None:
    async with reasoners(one={"also_known_as": ["gpt-*"]}) as all_:
        assert all_.get("gpt-5", ANYBODY).name == "one"
        all_.replace(
            {"other": ReasonerSection(url=URL, model="m", also_known_as=("gpt-*", "claude-*"))}
        )
        assert all_.get("gpt-5", ANYBODY).name == "other"


async def post(reasoner: Reasoner, api: Api, **headers: str) -> None:
    with reasoner.queue.ticket(ANYBODY) as ticket:
        async with reasoner.post(api, b"{}", ticket, headers=headers) as response:
            await response.read()


async def test_a_request_has_its_own_headers_and_the_server_s_key(server, monkeypatch) -> None:
    monkeypatch.setenv("A_KEY", "secret")
    section = {"url": f"{server.url}/v1", "api_key_env": "A_KEY"}
    async with reasoners(one=section) as all_:
        [reasoner] = all_
        apis: tuple[Api, ...] = ("messages", "count_tokens", "responses")
        for api in apis:
            await post(reasoner, api, **{"anthropic-version": "2023-06-01"})
    assert [
        (asked.path, asked.headers["authorization"], asked.headers.get("x-api-key"))
        for asked in server.asked
    ] == [
        ("/v1/messages", "Bearer secret", "secret"),
        ("/v1/messages/count_tokens", "Bearer secret", "secret"),
        ("/v1/responses", "Bearer secret", None),
    ]
    assert {asked.headers["anthropic-version"] for asked in server.asked} == {"2023-06-01"}

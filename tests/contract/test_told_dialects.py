"""What our reasoner service tells of its APIs is what the gateway goes by."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from gateway.reasoning.replicas import Replica, Replicas
from gateway.reasoning.served_dialects import ServedDialects
from gateway.settings import ReasonerSection
from racro.contracts.errors import DialectUnsupported
from racro.servekit.upstream import Upstream, open_client
from support import http
from support.processes import Service
from support.scripted import ScriptedServer

PATHS = {"chat": "chat/completions", "responses": "responses", "messages": "messages"}


@pytest.fixture(params=["url", "llama"])
def service(request, reasoner: ScriptedServer) -> Iterator[Service]:
    if request.param == "llama":
        yield request.getfixturevalue("llama_reasoner")
        return
    behind = {"kind": "url", "url": f"{reasoner.url}/v1", "model": "scripted"}
    with Service("services.reasoner", {"model": "r1-7b", "engine": behind}) as service:
        yield service


async def test_it_serves_what_its_card_tells_and_nothing_else(service: Service) -> None:
    card = http.get(f"{service.url}/v1/models").json()["data"][0]
    section = ReasonerSection(url=f"{service.url}/v1", model=card["id"])
    async with open_client() as client:
        upstream = Upstream(client, section.urls[0], name="reasoner")
        served = ServedDialects("r1", section, Replicas([Replica(upstream)]))
        for api, path in PATHS.items():
            is_there = http.post(f"{service.url}/v1/{path}", content=b"{").status_code == 400
            assert is_there is (api in card["dialects"])
            with nullcontext() if is_there else pytest.raises(DialectUnsupported):
                await served.check(api)

"""A gateway whose captioner is away: text and cached images are answered, and it says so."""

from contextlib import ExitStack
from dataclasses import replace

import pytest

from gateway.readiness import readiness
from gateway.services import open_services
from gateway.settings import GatewaySettings
from gateway.tenancy.tenants import Tenants
from support import http
from support.pictures import data_url, png
from support.processes import Service, free_port
from support.scripted import ScriptedServer


def config_for(captioner_url: str, reasoner: ScriptedServer) -> dict:
    return {
        "captioner": {"url": captioner_url, "identity_ttl_s": 1},
        "reasoners": {"default": {"url": f"{reasoner.url}/v1", "model": "scripted"}},
    }


def solve(gateway: Service, text: str):
    body = {"question": "How high?", "images": [data_url(png(text))]}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def chat(gateway: Service):
    body = {"messages": [{"role": "user", "content": "What is 2 + 2?"}]}
    return http.post(f"{gateway.url}/v1/chat/completions", json=body)


def test_text_and_cached_images_are_answered_while_the_captioner_is_away() -> None:
    with ExitStack() as behind, ExitStack() as stack:
        captioner = behind.enter_context(ScriptedServer())
        reasoner = stack.enter_context(ScriptedServer())
        gateway = stack.enter_context(Service("gateway", config_for(captioner.url, reasoner)))
        assert solve(gateway, "seen").status_code == 200
        ready = http.get(f"{gateway.url}/readyz").json()
        assert (ready["status"], ready["degraded"]) == ("ready", False)
        behind.close()
        answer = http.get(f"{gateway.url}/readyz")
        assert (answer.status_code, answer.json()["degraded"]) == (200, True)
        assert answer.json()["checks"]["captioner"] == "the captioner cannot be reached"
        metrics = gateway.metrics()
        assert (metrics["racro_ready"], metrics["racro_degraded"]) == (1, 1)
        assert metrics['racro_component_ok{component="captioner"}'] == 0
        assert chat(gateway).status_code == 200
        cached = solve(gateway, "seen")
        assert (cached.status_code, cached.json()["visual_context"]["cache"]) == (200, "hit")
        refused = solve(gateway, "new")
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "upstream_unavailable"


def test_one_that_never_reached_its_captioner_is_not_ready() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with (
        ScriptedServer() as reasoner,
        Service("gateway", config_for(nobody, reasoner), wait_for="/healthz") as gateway,
    ):
        answer = http.get(f"{gateway.url}/readyz")
        assert (answer.status_code, answer.json()["degraded"]) == (503, False)
        assert chat(gateway).status_code == 200


@pytest.mark.parametrize(("waited_s", "is_ready"), [(0, False), (61, True)])
async def test_it_waits_a_minute_for_it(waited_s, is_ready) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with ScriptedServer() as reasoner:
        settings = GatewaySettings(**config_for(nobody, reasoner))
        async with open_services(settings, Tenants(settings)) as services:
            before = replace(services, opened_at=services.opened_at - waited_s)
            found = await readiness(before.state())
    assert (found.ready, found.is_degraded) == (is_ready, is_ready)

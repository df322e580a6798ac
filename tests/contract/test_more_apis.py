"""/v1/responses and /v1/messages of an engine that serves them, as its own clients speak them."""

from collections.abc import Iterator

import httpx2
import pytest

from support import http
from support.processes import Service
from support.scripted import ScriptedServer, read_events

BODIES = {
    "responses": {"model": "r1-7b", "input": "How high?"},
    "messages": {
        "model": "r1-7b",
        "max_tokens": 8,
        "messages": [{"role": "user", "content": "How high?"}],
    },
}
CHUNKS = [{"type": "response.created", "n": 1}, {"type": "response.completed", "text": "42"}]


@pytest.fixture(scope="module")
def engine() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="module")
def service(engine: ScriptedServer) -> Iterator[Service]:
    behind = {"kind": "url", "url": f"{engine.url}/v1", "model": "scripted"}
    with Service("services.reasoner", {"model": "r1-7b", "engine": behind}) as service:
        yield service


@pytest.fixture(autouse=True)
def afresh(engine: ScriptedServer) -> None:
    engine.reset()


def post(service: Service, api: str, **more) -> httpx2.Response:
    url = f"{service.url}/v1/{api}"
    return http.post(url, json={**BODIES[api], **more})


@pytest.mark.parametrize("api", BODIES)
def test_plain(service: Service, engine: ScriptedServer, api: str) -> None:
    engine.script.plain = {"type": "message", "anything": ["as", "it", "is"]}
    assert post(service, api).json() == engine.script.plain
    [asked] = engine.calls(f"/v1/{api}")
    assert asked.json == {**BODIES[api], "model": "scripted"}


@pytest.mark.parametrize("api", BODIES)
def test_streamed(service: Service, engine: ScriptedServer, api: str) -> None:
    engine.script.chunks = CHUNKS
    response = post(service, api, stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert read_events(response.text) == [(chunk["type"], chunk) for chunk in CHUNKS]


@pytest.mark.parametrize("api", BODIES)
@pytest.mark.parametrize("stream", [False, True])
def test_an_engine_without_it(
    service: Service, engine: ScriptedServer, api: str, stream: bool
) -> None:
    engine.script.status, engine.script.plain = 404, {"detail": "Not Found"}
    response = post(service, api, stream=stream)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("api", BODIES)
def test_one_that_breaks_off_ends_in_an_error_event(
    service: Service, engine: ScriptedServer, api: str
) -> None:
    """Anthropic's SDK does not look at events without a name."""
    engine.script.chunks, engine.script.die_after = CHUNKS, 1
    events = read_events(post(service, api, stream=True).text)
    assert [name for name, _ in events] == [CHUNKS[0]["type"], "error"]
    assert events[-1][1]["error"]["code"] == "upstream_unavailable"


@pytest.mark.parametrize("api", BODIES)
def test_another_model_is_unknown(service: Service, engine: ScriptedServer, api: str) -> None:
    response = post(service, api, model="another")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_model")
    assert not engine.asked


def test_tokens_are_counted_by_the_engine(service: Service, engine: ScriptedServer) -> None:
    engine.script.plain = {"input_tokens": 7}
    body = {**BODIES["messages"], "stream": True}
    answer = http.post(f"{service.url}/v1/messages/count_tokens", json=body)
    assert answer.json() == {"input_tokens": 7}
    [asked] = engine.calls("/v1/messages/count_tokens")
    assert asked.json == {**BODIES["messages"], "model": "scripted"}


def test_an_engine_that_counts_no_tokens(service: Service, engine: ScriptedServer) -> None:
    engine.script.status, engine.script.plain = 404, {"detail": "Not Found"}
    answer = http.post(f"{service.url}/v1/messages/count_tokens", json=BODIES["messages"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

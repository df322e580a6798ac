"""/v1/responses and /v1/messages of an engine that serves them, as its own clients speak them."""

from collections.abc import Iterator

import httpx2
import pytest

from support import http
from support.processes import Service
from support.scripted import Fixed, ScriptedServer, read_events

BODIES = {
    "responses": {"model": "r1-7b", "input": "How high?"},
    "messages": {
        "model": "r1-7b",
        "max_tokens": 8,
        "messages": [{"role": "user", "content": "How high?"}],
    },
}
PLAIN = {
    "responses": {"object": "response", "output": [], "status": "completed", "anything": ["as", 1]},
    "messages": {"type": "message", "content": [], "anything": ["as", 1]},
}
CHUNKS = {
    "responses": [
        {"type": "response.created", "response": {"status": "in_progress"}},
        {"type": "response.unheard_of", "n": 1},
        {"type": "response.completed", "response": {"status": "completed"}},
    ],
    "messages": [
        {"type": "message_start", "message": {"content": []}},
        {"type": "unheard_of", "n": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ],
}


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
    engine.script.plain = PLAIN[api]
    assert post(service, api).json() == engine.script.plain
    [asked] = engine.calls(f"/v1/{api}")
    assert asked.json == {**BODIES[api], "model": "scripted"}


@pytest.mark.parametrize("api", BODIES)
def test_streamed(service: Service, engine: ScriptedServer, api: str) -> None:
    engine.script.chunks = CHUNKS[api]
    response = post(service, api, stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert read_events(response.text) == [(chunk["type"], chunk) for chunk in CHUNKS[api]]


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
    engine.script.chunks, engine.script.die_after = CHUNKS[api], 1
    events = read_events(post(service, api, stream=True).text)
    assert [name for name, _ in events] == [CHUNKS[api][0]["type"], "error"]
    assert events[-1][1]["error"]["code"] == "upstream_unavailable"


@pytest.mark.parametrize("api", BODIES)
def test_one_that_ends_without_its_last_event_is_broken_off(
    service: Service, engine: ScriptedServer, api: str
) -> None:
    engine.script.chunks = CHUNKS[api][:2]
    events = read_events(post(service, api, stream=True).text)
    assert [name for name, _ in events] == [*(one["type"] for one in CHUNKS[api][:2]), "error"]
    assert events[-1][1]["error"]["code"] == "upstream_unavailable"


OVERLOADED = {"type": "error", "error": {"type": "rate_limit_error", "message": "Too often."}}


@pytest.mark.parametrize("api", BODIES)
def test_an_error_as_the_first_event_is_its_status(
    service: Service, engine: ScriptedServer, api: str
) -> None:
    engine.script.chunks = [OVERLOADED]
    response = post(service, api, stream=True)
    assert (response.status_code, response.json()["error"]["code"]) == (429, "rate_limited")


@pytest.mark.parametrize("api", BODIES)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_of_something_else_is_none(
    service: Service, engine: ScriptedServer, api: str, stream: bool
) -> None:
    engine.script.fixed["*"] = Fixed(body=b"<html>Sign in</html>", media_type="text/html")
    response = post(service, api, stream=stream)
    assert (response.status_code, response.json()["error"]["code"]) == (502, "upstream_error")
    assert "an HTML page" in response.json()["error"]["message"]


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


def test_a_count_that_is_none(service: Service, engine: ScriptedServer) -> None:
    engine.script.plain = {"tokens": "many"}
    answer = http.post(f"{service.url}/v1/messages/count_tokens", json=BODIES["messages"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")


def test_an_engine_that_counts_no_tokens(service: Service, engine: ScriptedServer) -> None:
    engine.script.status, engine.script.plain = 404, {"detail": "Not Found"}
    answer = http.post(f"{service.url}/v1/messages/count_tokens", json=BODIES["messages"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

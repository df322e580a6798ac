"""/v1/responses and /v1/messages as the official SDKs of OpenAI and Anthropic use them."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support import http
from support.dialect_answers import message_events, response_events
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import ScriptedServer

MODEL = "r1-7b"
SDKS: dict[str, Any] = {"messages": anthropic, "responses": openai}
TEXT = "The answer is \\boxed{42}."
COUNTS = {"prompt_tokens": 7, "completion_tokens": 3}
PING = {"type": "ping"}
OVERLOADED = {"code": "server_error", "message": "Overloaded", "param": None}
FAILURES = {
    "messages": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    "responses": {"type": "error", "error": OVERLOADED},
}
MADE = {"messages": message_events, "responses": response_events}


@pytest.fixture(scope="module")
def engine() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def started(engine: ScriptedServer, **settings: Any) -> Service:
    behind = {"kind": "url", "url": f"{engine.url}/v1", "model": "scripted"}
    return Service("services.reasoner", {"model": MODEL, "engine": behind, **settings})


@pytest.fixture(scope="module")
def service(engine: ScriptedServer) -> Iterator[Service]:
    with started(engine) as service:
        yield service


@pytest.fixture(autouse=True)
def afresh(engine: ScriptedServer) -> None:
    engine.reset()


@pytest.fixture(params=SDKS)
def api(request: pytest.FixtureRequest) -> str:
    return request.param


def client_of(api: str, service: Service, key: str = "none") -> Any:
    """Return the SDK's client; it tries nothing twice, so that the first error is seen."""
    options: dict[str, Any] = {"api_key": key, "max_retries": 0, "timeout": PATIENCE_S}
    if api == "messages":
        return Anthropic(base_url=service.url, **options)
    return OpenAI(base_url=f"{service.url}/v1", **options)


def ask(client: Any, **more: Any) -> Any:
    said: dict[str, Any] = {"model": MODEL, **more}
    if isinstance(client, Anthropic):
        messages = [{"role": "user", "content": "How high?"}]
        return client.messages.create(**{"max_tokens": 8, "messages": messages, **said})
    return client.responses.create(**{"input": "How high?", **said})


def text_of(events: list[Any]) -> str:
    kinds = {"content_block_delta", "response.output_text.delta"}
    deltas = [event.delta for event in events if event.type in kinds]
    return "".join(delta if isinstance(delta, str) else delta.text for delta in deltas)


def test_plain(service: Service, api: str) -> None:
    with client_of(api, service) as client:
        answer = ask(client)
    said = answer.content[0].text if api == "messages" else answer.output_text
    assert said == TEXT
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 3)


def test_streamed(service: Service, api: str) -> None:
    with client_of(api, service) as client:
        events = list(ask(client, stream=True))
    assert text_of(events) == TEXT
    assert events[-1].type in {"message_stop", "response.completed"}


def test_the_sdk_s_own_gathering_of_a_stream(service: Service) -> None:
    with client_of("messages", service) as client:
        asked = {"model": MODEL, "max_tokens": 8, "messages": [{"role": "user", "content": "?"}]}
        with client.messages.stream(**asked) as stream:
            assert stream.get_final_text() == TEXT
        assert client.messages.count_tokens(model=MODEL, messages=asked["messages"]).input_tokens
    with (
        client_of("responses", service) as client,
        client.responses.stream(model=MODEL, input="?") as stream,
    ):
        stream.until_done()
        assert stream.get_final_response().output_text == TEXT


def test_pings_are_not_seen(service: Service, engine: ScriptedServer) -> None:
    events = message_events([TEXT], **COUNTS)
    engine.script.chunks = [PING, events[0], PING, *events[1:]]
    with client_of("messages", service) as client:
        seen = list(ask(client, stream=True))
    assert [event.type for event in seen] == [event["type"] for event in events]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "body", "error", "seen"),
    [
        (400, {"error": {"message": "top_k is wrong"}}, "BadRequestError", 400),
        (404, {"detail": "Not Found"}, "NotFoundError", 404),
        (413, {"error": {"message": "too large"}}, "APIStatusError", 413),
        (429, {"error": {"message": "wait"}}, "RateLimitError", 429),
        (401, {"error": {"message": "wrong key"}}, "InternalServerError", 502),
        (500, {"error": {"message": "out of memory"}}, "InternalServerError", 503),
        (529, FAILURES["messages"], "InternalServerError", None),
    ],
    ids=str,
)
def test_an_error_of_the_engine_is_one_of_the_sdk_s(
    service: Service, engine: ScriptedServer, api: str, stream: bool,
    status: int, body: dict[str, Any], error: str, seen: int | None,
) -> None:  # fmt: skip
    engine.script.status, engine.script.plain = status, body
    with (
        client_of(api, service) as client,
        pytest.raises(SDKS[api].APIStatusError) as told,
    ):
        ask(client, stream=stream)
    assert isinstance(told.value, getattr(SDKS[api], error))
    # Only Anthropic has a status for one that is overloaded.
    overloaded = 529 if api == "messages" else 503
    assert told.value.status_code == (seen or overloaded)
    assert told.value.request_id == told.value.response.headers["x-request-id"]


def test_another_model_is_not_found(service: Service, api: str) -> None:
    with (
        client_of(api, service) as client,
        pytest.raises(SDKS[api].NotFoundError, match="no such model"),
    ):
        ask(client, model="another")


@pytest.mark.parametrize("ending", ["error", "breaks off", "ends early"])
def test_a_stream_that_fails_raises(
    service: Service, engine: ScriptedServer, api: str, ending: str
) -> None:
    events = MADE[api]([TEXT], **COUNTS)
    engine.script.chunks = [*events[:3], FAILURES[api]] if ending == "error" else events[:3]
    engine.script.die_after = 2 if ending == "breaks off" else None
    with client_of(api, service) as client:
        seen = iter(ask(client, stream=True))
        assert next(seen).type == events[0]["type"]
        with pytest.raises(SDKS[api].APIError):
            list(seen)


def test_an_error_without_an_envelope_is_an_event(service: Service, engine: ScriptedServer) -> None:
    """OpenAI's SDK hands on one whose fields stand in the event itself, as it is documented."""
    begun = response_events([TEXT], **COUNTS)[:3]
    engine.script.chunks = [*begun, {"type": "error", **OVERLOADED, "sequence_number": 3}]
    with client_of("responses", service) as client:
        *_, last = ask(client, stream=True)
    assert (last.type, last.message) == ("error", "Overloaded")


def test_a_service_that_ends_says_so(engine: ScriptedServer, api: str) -> None:
    """It answers what it began, and sends away what is new."""
    with (
        started(engine, shutdown_timeout_s=PATIENCE_S) as service,
        client_of(api, service) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        engine.script.held_at = 0
        begun = pool.submit(ask, client)
        try:
            wait_until(lambda: engine.asked, what="asked")
            service.process.send_signal(signal.SIGINT)
            wait_until(lambda: not _is_ready(service), what="not ready")
            with pytest.raises(SDKS[api].InternalServerError, match="shutting down") as told:
                ask(client)
            assert told.value.status_code == 503
        finally:
            engine.script.held_at = None
        assert begun.result(PATIENCE_S).usage.output_tokens == COUNTS["completion_tokens"]


def _is_ready(service: Service) -> bool:

    return http.get(f"{service.url}/readyz").status_code == 200


@pytest.fixture(scope="module")
def keyed(
    engine: ScriptedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, str]]:
    """A gateway with a key."""
    path = tmp_path_factory.mktemp("keys") / "keys.yaml"
    file, key = KeysFile().with_new_key("first", TenantRecord(requests_per_minute=10_000))
    file.write(path)
    config = gateway_config(engine.url, engine.url, tenants={"keys_file": str(path)})
    with Service("gateway", config) as service:
        yield service, key


def test_a_gateway_s_models_are_listed(keyed: tuple[Service, str], api: str) -> None:
    with client_of(api, *keyed) as client:
        models = list(client.models.list())
    assert "default" in {model.id for model in models}


def test_a_gateway_refuses_a_wrong_key(keyed: tuple[Service, str], api: str) -> None:
    with client_of(api, keyed[0], "wrong") as client:
        for call in (client.models.list, lambda: ask(client, model="default")):
            with pytest.raises(SDKS[api].AuthenticationError) as told:
                call()
            assert told.value.status_code == 401

"""One suite over every engine, through the real reasoner service."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import httpx2
import pytest

from support import http
from support.processes import Service, free_port, wait_until

MODEL = "smollm2-135m"
CHAT = "/v1/chat/completions"


def remote(url: str) -> dict[str, Any]:
    return {"model": "by-url", "engine": {"kind": "url", "url": f"{url}/v1", "model": MODEL}}


@pytest.fixture(scope="module")
def url_reasoner(llama_reasoner: Service) -> Iterator[Service]:
    """A reasoner service whose engine is another reasoner service."""
    with Service("services.reasoner", remote(llama_reasoner.url)) as service:
        yield service


class Reasoner:
    def __init__(self, service: Service, model: str) -> None:
        self.model = model
        self.client = http.client(base_url=service.url)

    def post(self, content: str = "Tell me about rivers.", **more: Any) -> httpx2.Response:
        messages = [{"role": "user", "content": content}]
        body = {"model": self.model, "messages": messages, "max_tokens": 16, **more}
        return self.client.post(CHAT, json=body)

    def answer(self, content: str = "Tell me about rivers.", **more: Any) -> dict[str, Any]:
        response = self.post(content, **more)
        assert response.status_code == 200, response.text
        return response.json()

    def text(self, **more: Any) -> str:
        return self.answer(**more)["choices"][0]["message"]["content"]

    def chunks(self, content: str = "Tell me about rivers.", **more: Any) -> list[dict[str, Any]]:
        response = self.post(content, stream=True, **more)
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        *lines, done = [line for line in response.text.split("\n\n") if line.startswith("data: ")]
        assert done == "data: [DONE]"
        return [json.loads(line.removeprefix("data: ")) for line in lines]


@pytest.fixture(params=["llama", "url"])
def reasoner(request: pytest.FixtureRequest) -> Iterator[Reasoner]:
    service = request.getfixturevalue(f"{request.param}_reasoner")
    reasoner = Reasoner(service, MODEL if request.param == "llama" else "by-url")
    with reasoner.client:
        yield reasoner


def said(chunks: list[dict[str, Any]]) -> str:
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_plain(reasoner: Reasoner) -> None:
    answer = reasoner.answer(temperature=0)
    assert answer["object"] == "chat.completion"
    [choice] = answer["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"].strip()
    assert answer["usage"]["prompt_tokens"] > 0
    assert "prompt_progress" not in answer


def test_stream(reasoner: Reasoner) -> None:
    chunks = reasoner.chunks(temperature=0, ignore_eos=True)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len(chunks) > 5
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert not any(chunk.get("usage") or "prompt_progress" in chunk for chunk in chunks)
    assert said(chunks) == reasoner.text(temperature=0, ignore_eos=True)


def test_usage_of_a_stream(reasoner: Reasoner) -> None:
    *chunks, last = reasoner.chunks(stream_options={"include_usage": True}, ignore_eos=True)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 16
    assert not any(chunk.get("usage") for chunk in chunks)


@pytest.mark.parametrize("limit", [1, 7])
def test_max_tokens(reasoner: Reasoner, limit: int) -> None:
    answer = reasoner.answer(max_tokens=limit, ignore_eos=True)
    assert answer["usage"]["completion_tokens"] == limit
    assert answer["choices"][0]["finish_reason"] == "length"


def test_a_seed_repeats_its_text(reasoner: Reasoner) -> None:
    one, same, other = (reasoner.text(temperature=0.8, seed=seed) for seed in (5, 5, 6))
    assert one == same
    assert one != other


def test_stop(reasoner: Reasoner) -> None:
    whole = reasoner.text(temperature=0)
    word = whole.split()[4]
    answer = reasoner.answer(temperature=0, stop=[word])
    assert answer["choices"][0]["message"]["content"] == whole[: whole.index(word)]
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_four_at_once(reasoner: Reasoner) -> None:
    """All have begun before any has ended, and none hears another's answer.

    On a busy machine they may happen to be heard one after the other, but not for ever.
    """

    def stream(limit: int) -> tuple[float, float, str]:
        messages = [{"role": "user", "content": f"Count to {limit}."}]
        body = {"messages": messages, "stream": True, "ignore_eos": True, "max_tokens": limit}
        options = {"include_usage": True}
        with reasoner.client.stream(
            "POST", CHAT, json={**body, "stream_options": options}
        ) as response:
            heard = [(monotonic(), line) for line in response.iter_lines() if '{"' in line]
        chunks = [json.loads(line.removeprefix("data: ")) for _, line in heard]
        assert chunks[-1]["usage"]["completion_tokens"] == limit
        [identifier] = {chunk["id"] for chunk in chunks}
        # The text may be held back for as long as it may be a box; the role comes at once.
        return heard[0][0], heard[-1][0], identifier

    def at_once() -> bool:
        with ThreadPoolExecutor(4) as pool:
            began, ended, identifiers = zip(*pool.map(stream, (40, 41, 42, 43)), strict=True)
        assert len(set(identifiers)) == 4
        return max(began) < min(ended)

    wait_until(at_once)


def test_streams_leave_no_dead_connections_behind(reasoner: Reasoner) -> None:
    """llama.cpp's server hangs up after each stream; no later request may run into that."""

    def post(number: int) -> int:
        return reasoner.post(stream=number % 3 > 0, max_tokens=1 + number % 3).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(post, range(64)))
    assert statuses == [200] * 64


def test_fields_reach_the_engine(reasoner: Reasoner) -> None:
    [choice] = reasoner.answer(logprobs=True, top_logprobs=2, max_tokens=3)["choices"]
    tokens = choice["logprobs"]["content"]
    assert len(tokens) == 3
    assert {len(token["top_logprobs"]) for token in tokens} == {2}


def test_models(reasoner: Reasoner, llama_reasoner: Service) -> None:
    """The revision is that of the weights, also through a URL."""
    card, *_ = reasoner.client.get("/v1/models").json()["data"]
    assert card["id"] == reasoner.model
    original, *_ = http.get(f"{llama_reasoner.url}/v1/models").json()["data"]
    assert card["revision"] == original["revision"]
    weights, adapter = card["revision"].split("+")
    assert len(weights) == len(adapter) == 16


@pytest.mark.parametrize("stream", [False, True])
def test_unknown_model(reasoner: Reasoner, stream: bool) -> None:
    response = reasoner.post(model="gpt-99", stream=stream)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "unknown_model"
    assert response.json()["error"]["param"] == "model"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b'{"messages": []} x', b'{"messages": "\xff"}'],
    ids=["empty", "cut", "list", "string", "trailing", "UTF-8"],
)
def test_not_a_json_object(reasoner: Reasoner, body: bytes) -> None:
    response = reasoner.client.post(CHAT, content=body)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", []),
        *(("stream_options", value) for value in ("x", [1], 1)),
        *(("n", value) for value in (0, -1, 1.5, "2", True, 5, 10**9)),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_nobody_can_answer(reasoner: Reasoner, field: str, value: Any, stream: bool) -> None:
    response = reasoner.post(**{field: value, "stream": stream})
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == field


def test_messages_that_are_none(reasoner: Reasoner) -> None:
    response = reasoner.client.post(CHAT, json={"messages": "hello"})
    assert response.status_code == 400, response.text
    assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_over_the_context(reasoner: Reasoner, stream: bool) -> None:
    response = reasoner.post("word " * 9000, stream=stream)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"
    assert "8192" in response.json()["error"]["message"]
    assert reasoner.text(max_tokens=2)


def test_ready(reasoner: Reasoner) -> None:
    response = reasoner.client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "degraded": False, "checks": {"engine": "ok"}}


@pytest.fixture(scope="module")
def unreachable() -> Iterator[Service]:
    nowhere = remote(f"http://127.0.0.1:{free_port()}")
    with Service("services.reasoner", nowhere, wait_for="/healthz") as service:
        yield service


class TestUnreachable:
    def test_ready(self, unreachable: Service) -> None:
        response = http.get(f"{unreachable.url}/readyz")
        assert response.status_code == 503
        assert response.json() == {
            "status": "not_ready",
            "degraded": False,
            "checks": {"engine": "the engine cannot be reached"},
        }

    @pytest.mark.parametrize("stream", [False, True])
    def test_chat(self, unreachable: Service, stream: bool) -> None:
        response = http.post(unreachable.url + CHAT, json={"messages": [{}], "stream": stream})
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        assert response.json()["error"]["code"] == "upstream_unavailable"
        assert "127.0.0.1" not in response.text

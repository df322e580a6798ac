"""/v1/responses and /v1/messages of the embedded engine, whose model has chats alone."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from openai import OpenAI
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from racro.contracts.prompts import compact_messages
from racro.embedded.default import REASONER, TEXT_REASONER
from support import http
from support.processes import Service
from support.scripted import read_events

QUESTION = "Tell me about rivers."
ASKED = {
    "responses": {"input": QUESTION},
    "messages": {"messages": [{"role": "user", "content": QUESTION}]},
}
LIMIT = {"responses": "max_output_tokens", "messages": "max_tokens"}
CAPTION = """Bar chart. Title: Goals per team.
4 bars with these values:
Falcons: 27
Tigers: 23
Sharks: 19
Wolves: 14
Highest: Falcons (27). Lowest: Wolves (14)."""

response_event = TypeAdapter(ResponseStreamEvent)


@pytest.fixture(params=ASKED)
def api(request: pytest.FixtureRequest) -> str:
    return request.param


def ask(service: Service, api: str, *, tokens: int = 8, **more: Any) -> httpx2.Response:
    body = {**ASKED[api], LIMIT[api]: tokens, "temperature": 0, **more}
    answer = http.post(f"{service.url}/v1/{api}", json=body)
    assert answer.status_code == 200, answer.text
    return answer


def text_of(api: str, answer: dict[str, Any]) -> str:
    if api == "messages":
        return "".join(block["text"] for block in answer["content"])
    return "".join(part["text"] for item in answer["output"] for part in item["content"])


def pieces(events: list[tuple[str, Any]]) -> Iterator[str]:
    for name, event in events:
        if name == "content_block_delta":
            yield event["delta"]["text"]
        elif name == "response.output_text.delta":
            yield event["delta"]


def chat_text(service: Service, **more: Any) -> str:
    body = {"messages": ASKED["messages"]["messages"], "temperature": 0, **more}
    answer = http.post(f"{service.url}/v1/chat/completions", json=body)
    return answer.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("model", [REASONER, TEXT_REASONER])
def test_plain_is_what_a_chat_answers(llama_reasoner: Service, api: str, model: str) -> None:
    """By each of the two models: with the adapter, and without."""
    answer = ask(llama_reasoner, api, model=model).json()
    assert answer["model"] == model
    assert text_of(api, answer) == chat_text(llama_reasoner, model=model, max_tokens=8)
    assert answer["usage"]["output_tokens"] == 8
    if api == "messages":
        assert answer["stop_reason"] == "max_tokens"
    else:
        Response.model_validate(answer)
        assert answer["status"] == "incomplete"
        assert answer["incomplete_details"] == {"reason": "max_output_tokens"}


def test_a_stream_is_the_plain_answer_in_pieces(llama_reasoner: Service, api: str) -> None:
    streamed = ask(llama_reasoner, api, stream=True)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    events = read_events(streamed.text)
    assert all(name == event["type"] for name, event in events)
    assert "prompt_progress" not in streamed.text
    assert "".join(pieces(events)) == text_of(api, ask(llama_reasoner, api).json())
    if api == "responses":
        for _, event in events:
            response_event.validate_python(event)


def test_openai_s_sdk_reads_it(llama_reasoner: Service) -> None:
    asked: dict[str, Any] = {"model": REASONER, "input": QUESTION, "max_output_tokens": 8}
    with OpenAI(base_url=f"{llama_reasoner.url}/v1", api_key="none") as client:
        whole = client.responses.create(**asked, temperature=0)
        streamed = client.responses.create(**asked, temperature=0, stream=True)
        said = "".join(one.delta for one in streamed if one.type == "response.output_text.delta")
    assert said == whole.output_text


@pytest.mark.parametrize("stream", [False, True])
def test_formulas_are_worked_out(llama_reasoner: Service, api: str, stream: bool) -> None:
    messages = compact_messages("What is the sum of Tigers and Sharks?", CAPTION, None)
    asked = {"responses": {"input": messages}, "messages": {"messages": messages}}[api]
    answer = ask(llama_reasoner, api, tokens=100, stream=stream, **asked)
    said = "".join(pieces(read_events(answer.text))) if stream else text_of(api, answer.json())
    assert said == "Tigers 23, Sharks 19.\n\nAnswer: 42"


def test_an_answer_that_fits_is_complete(llama_reasoner: Service, api: str) -> None:
    # Responses have no such field: this one is llama.cpp's.
    stop = {"responses": {"stop": ["."]}, "messages": {"stop_sequences": ["."]}}[api]
    answer = ask(llama_reasoner, api, model=TEXT_REASONER, tokens=200, **stop).json()
    assert (answer.get("stop_reason") or answer["status"]) in {"end_turn", "completed"}


def test_tools_and_unknown_fields_are_no_errors(llama_reasoner: Service, api: str) -> None:
    tool = {"name": "f", "type": "function", "input_schema": {}, "parameters": {}}
    more = {"betas": ["x"], "context_management": {"edits": []}, "metadata": {"user_id": "u"}}
    thinking = {"type": "adaptive"}
    ask(llama_reasoner, api, tokens=1, tools=[tool], thinking=thinking, service_tier="auto", **more)


@pytest.mark.parametrize("stream", [False, True])
def test_too_long_is_told_before_the_stream(
    llama_reasoner: Service, api: str, stream: bool
) -> None:
    long = "word " * 9000
    asked = {"input": long, "messages": [{"role": "user", "content": long}], "stream": stream}
    answer = http.post(f"{llama_reasoner.url}/v1/{api}", json=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")


def test_images_are_refused_by_their_place(llama_reasoner: Service) -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    body = {"messages": [{"role": "user", "content": [image]}]}
    for path in ("messages", "messages/count_tokens"):
        answer = http.post(f"{llama_reasoner.url}/v1/{path}", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "messages[0].content[0]"


def test_tokens_are_counted_as_they_are_read(llama_reasoner: Service) -> None:
    counted = http.post(
        f"{llama_reasoner.url}/v1/messages/count_tokens", json=ASKED["messages"]
    ).json()
    usage = ask(llama_reasoner, "messages").json()["usage"]
    assert counted == {"input_tokens": usage["input_tokens"] + usage["cache_read_input_tokens"]}

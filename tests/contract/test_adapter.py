"""The embedded reasoner's adapter, through the real reasoner service."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI

from racro.answers.extract import solve_answer
from racro.contracts.prompts import COMPACT_V1, NOT_TOLD, compact_messages
from racro.embedded.default import REASONER, TEXT_REASONER
from racro.embedded.reasoner import ADAPTER, packaged_model
from racro.engines.llama import LlamaSettings
from support import http
from support.processes import Service

CAPTION = """Bar chart. Title: Goals per team.
4 bars with these values:
Falcons: 27
Tigers: 23
Sharks: 19
Wolves: 14
Highest: Falcons (27). Lowest: Wolves (14)."""


@pytest.fixture(scope="module")
def plain_reasoner() -> Iterator[Service]:
    """The same weights without the adapter."""
    with Service("services.reasoner", {"engine": {"kind": "llama", "adapter_path": None}}) as one:
        yield one


def revisions(service: Service) -> dict[str, str]:
    cards = http.get(f"{service.url}/v1/models").json()["data"]
    return {card["id"]: card["revision"] for card in cards}


def post(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    response = http.post(f"{service.url}/v1/chat/completions", json=body)
    return response.raise_for_status().json()


def answer(service: Service, question: str) -> str:
    messages = compact_messages(question, CAPTION, None)
    body = {"messages": messages, "temperature": 0, "max_tokens": 128}
    return post(service, body)["choices"][0]["message"]["content"]


def first_logprob(service: Service, **more: Any) -> float:
    """The log-probability of an answer's first token: -0.73 without the adapter, -0.10 with it.

    Whole texts hang on rounding, and so on what the engine has read before.
    """
    asked = [{"role": "user", "content": "Explain gravity in one sentence."}]
    body = {"messages": asked, "temperature": 0, "max_tokens": 1, "logprobs": True, **more}
    [choice] = post(service, body)["choices"]
    [token] = choice["logprobs"]["content"]
    return token["logprob"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many goals do the Tigers have?", "23"),
        ("Which team has the most goals?", "Falcons"),
        ("Is Sharks more than Wolves?", "yes"),
        ("What is the sum of Tigers and Sharks?", "42"),
        ("How many goals do the Ravens have?", NOT_TOLD),
    ],
)
def test_it_reasons_briefly_and_ends_with_its_answer(
    llama_reasoner: Service, question: str, expected: str
) -> None:
    text = answer(llama_reasoner, question)
    assert solve_answer(COMPACT_V1, text) == expected
    reasoning, _, last = text.rpartition("\n\n")
    assert reasoning
    assert last == f"Answer: {expected}"


def test_it_is_part_of_the_revision(llama_reasoner: Service, plain_reasoner: Service) -> None:
    weights, _, adapter = revisions(llama_reasoner)[REASONER].partition("+")
    assert adapter
    assert revisions(plain_reasoner) == {REASONER: weights}


def test_the_model_without_it_has_a_name_of_its_own(
    llama_reasoner: Service, plain_reasoner: Service
) -> None:
    """And answers as the weights do that have no adapter, however often the two take turns."""
    assert [*revisions(llama_reasoner)] == [REASONER, TEXT_REASONER]
    assert revisions(llama_reasoner)[TEXT_REASONER] == revisions(plain_reasoner)[REASONER]
    without = pytest.approx(first_logprob(plain_reasoner), abs=0.05)
    for _ in range(2):
        assert first_logprob(llama_reasoner) != without
        assert first_logprob(llama_reasoner, model=TEXT_REASONER) == without


@pytest.mark.parametrize("model", [REASONER, TEXT_REASONER])
def test_no_client_chooses_it_by_a_field(llama_reasoner: Service, model: str) -> None:
    own = pytest.approx(first_logprob(llama_reasoner, model=model), abs=0.05)
    other = [{"id": 0, "scale": float(model == TEXT_REASONER)}]
    assert first_logprob(llama_reasoner, model=model, lora=other) == own


@pytest.mark.parametrize("stream", [False, True])
def test_formulas_are_worked_out_in_streams_as_well(llama_reasoner: Service, stream: bool) -> None:
    messages = compact_messages("What is the sum of Tigers and Sharks?", CAPTION, None)
    with OpenAI(base_url=f"{llama_reasoner.url}/v1", api_key="none") as client:
        said = client.chat.completions.create(
            model=REASONER, messages=messages, temperature=0, stream=stream
        )
        if stream:
            said = "".join(chunk.choices[0].delta.content or "" for chunk in said)
        else:
            said = said.choices[0].message.content
    assert said == "Tigers 23, Sharks 19.\n\nAnswer: 42"


@pytest.mark.parametrize("limit", range(9, 20))
def test_a_limit_within_the_box_is_a_refusal(llama_reasoner: Service, limit: int) -> None:
    """With 26 tokens it is whole; the box begins with the 13th, or so."""
    messages = compact_messages("What is the sum of Tigers and Sharks?", CAPTION, None)
    body = {"messages": messages, "temperature": 0, "max_tokens": limit}
    [choice] = post(llama_reasoner, body)["choices"]
    assert choice["finish_reason"] == "length"
    text = choice["message"]["content"]
    assert "\\" not in text
    assert text.endswith(NOT_TOLD) or "Tigers 23, Sharks 19.".startswith(text)


def test_it_answers_more_than_once(llama_reasoner: Service) -> None:
    messages = compact_messages("How many goals do the Tigers have?", CAPTION, None)
    answered = post(llama_reasoner, {"messages": messages, "temperature": 0, "n": 3})
    said = [choice["message"]["content"] for choice in answered["choices"]]
    assert said == ["Tigers: 23.\n\nAnswer: 23"] * 3
    once = post(llama_reasoner, {"messages": messages, "temperature": 0})
    assert answered["usage"]["completion_tokens"] == 3 * once["usage"]["completion_tokens"]


def test_a_structured_answer_is_left_alone(llama_reasoner: Service) -> None:
    schema = {
        "type": "object",
        "properties": {"goals": {"const": "\\boxed"}},
        "required": ["goals"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "goals", "schema": schema}}
    messages = compact_messages("How many goals do the Tigers have?", CAPTION, None)
    [choice] = post(llama_reasoner, {"messages": messages, "response_format": form})["choices"]
    assert json.loads(choice["message"]["content"]) == {"goals": "\\boxed"}


def test_a_loop_is_ended(llama_reasoner: Service) -> None:
    """The grammar has no end, and a digit is always a token: no state of the engine matters."""
    body = {
        "model": TEXT_REASONER,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "grammar": 'root ::= "0123456789" root',
        "max_tokens": 256,
    }
    answered = post(llama_reasoner, body)
    [choice] = answered["choices"]
    assert choice["finish_reason"] == "length"
    # The 28th token completes eight in a row that came twice before, and is not shown.
    assert choice["message"]["content"] == "0123456789" * 2 + "0123456"
    assert answered["usage"]["completion_tokens"] == 28
    assert answered["usage"]["prompt_tokens"] > 20


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_tools_are_answered_in_plain_text(llama_reasoner: Service, choice: str) -> None:
    function = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
    body = {
        "model": TEXT_REASONER,
        "messages": [{"role": "user", "content": "How is the weather in Rome?"}],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": choice,
        "max_tokens": 16,
    }
    [answered] = post(llama_reasoner, body)["choices"]
    assert answered["message"]["content"]
    assert "tool_calls" not in answered["message"]


def test_it_is_not_put_on_other_weights() -> None:
    """Another model than the packaged one has an adapter only if it is named."""
    assert LlamaSettings().adapter_path == ADAPTER
    assert LlamaSettings(model_path=packaged_model()).adapter_path == ADAPTER
    assert LlamaSettings(model_path="other.gguf").adapter_path is None


def test_it_is_small() -> None:
    assert ADAPTER.stat().st_size <= 12 * 10**6

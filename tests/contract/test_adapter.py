"""The embedded reasoner's adapter, through the real reasoner service."""

from collections.abc import Iterator

import pytest

from racro.answers import solve_answer
from racro.contracts.prompts import COMPACT_V1, NOT_TOLD, compact_messages
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


def revision(service: Service) -> str:
    [card] = http.get(f"{service.url}/v1/models").json()["data"]
    return card["revision"]


def answer(service: Service, question: str) -> str:
    messages = compact_messages(question, CAPTION, None)
    body = {"messages": messages, "temperature": 0, "max_tokens": 128}
    response = http.post(f"{service.url}/v1/chat/completions", json=body)
    return response.raise_for_status().json()["choices"][0]["message"]["content"]


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
def test_it_reasons_briefly_and_boxes_its_answer(
    llama_reasoner: Service, question: str, expected: str
) -> None:
    text = answer(llama_reasoner, question)
    assert solve_answer(COMPACT_V1, text) == expected
    assert "\\boxed{" in text


def test_it_is_part_of_the_revision(llama_reasoner: Service, plain_reasoner: Service) -> None:
    weights, _, adapter = revision(llama_reasoner).partition("+")
    assert adapter
    assert revision(plain_reasoner) == weights


def test_it_is_not_put_on_other_weights() -> None:
    """Another model than the packaged one has an adapter only if it is named."""
    assert LlamaSettings().adapter_path == ADAPTER
    assert LlamaSettings(model_path=packaged_model()).adapter_path == ADAPTER
    assert LlamaSettings(model_path="other.gguf").adapter_path is None


def test_it_is_small() -> None:
    assert ADAPTER.stat().st_size <= 12 * 10**6

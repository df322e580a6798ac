"""Agents ask for models by names of their own; a reasoner is found by patterns of such names."""

from collections.abc import Iterator

import httpx2
import pytest

from conftest import gateway_config
from support import http
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import ScriptedServer


@pytest.fixture(scope="module")
def _named(_scripted_captioner, _scripted_reasoner) -> Iterator[Service]:
    url = f"{_scripted_reasoner.url}/v1"
    reasoners = {
        "small": {
            "url": url,
            "model": "small-7b",
            "also_known_as": ["claude-*haiku*", "gpt-*-mini"],
        },
        "large": {"url": url, "model": "large-70b", "also_known_as": ["claude-*", "gpt-*"]},
        "gpt-oss": {"url": url, "model": "gpt-oss-20b"},
        "other": {"url": url, "model": "other", "dialects": ["responses", "messages"]},
    }
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url, reasoners=reasoners)
    with Service("gateway", config) as service:
        yield service


@pytest.fixture
def named(_named, captioner, reasoner) -> Service:
    return _named


def chat(gateway: Service, model: str) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    return http.post(f"{gateway.url}/v1/chat/completions", json=body)


def solve(gateway: Service, model: str) -> httpx2.Response:
    body = {"model": model, "question": "How high?", "images": [data_url(png())]}
    return http.post(f"{gateway.url}/v1/solve", json=body)


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("claude-sonnet-4-5", "large-70b"),
        ("claude-haiku-4-5", "small-7b"),
        ("gpt-5", "large-70b"),
        ("gpt-5-mini", "small-7b"),
        ("gpt-oss", "gpt-oss-20b"),
        ("large", "large-70b"),
    ],
)
def test_a_reasoner_is_asked_under_its_further_names(named, reasoner, asked, served) -> None:
    answer = chat(named, asked)
    assert answer.status_code == 200
    # As the server says it.
    assert answer.json()["model"] == "scripted"
    assert reasoner.chats[-1].json["model"] == served


@pytest.mark.parametrize("asked", ["o3", "Claude-3", "claude-*x" * 100, "default"])
def test_a_name_that_matches_nothing_is_unknown(named, reasoner, asked) -> None:
    answer = chat(named, asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_model")
    assert reasoner.chats == []


def test_models_are_listed_by_their_own_names_and_found_by_all(named) -> None:
    listed = http.get(f"{named.url}/v1/models").json()["data"]
    cards = {card["id"]: card for card in listed}
    assert cards.keys() == {"small", "large", "gpt-oss", "other"}
    assert http.get(f"{named.url}/v1/models/claude-opus-4-1").json() == cards["large"]
    assert http.get(f"{named.url}/v1/models/o3").status_code == 404


def test_metrics_and_answers_have_the_own_name(named) -> None:
    assert solve(named, "claude-unheard-of").json()["model"] == "large"
    assert chat(named, "claude-unheard-of").status_code == 200
    text = "\n".join(named.metrics())
    assert 'reasoner="large"' in text
    assert "claude" not in text


def test_solve_needs_a_reasoner_that_serves_chat(named, captioner: ScriptedServer) -> None:
    answer = solve(named, "other")
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "type": "invalid_request_error",
        "code": "dialect_unsupported",
        "message": "the reasoner other does not serve /v1/chat/completions; "
        "it serves /v1/responses and /v1/messages",
        "param": "model",
    }
    assert captioner.perceptions == []

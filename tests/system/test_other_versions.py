"""What a peer of another version adds is ignored, and it is told no more than it knows."""

import json
from itertools import count
from typing import Any

import pytest

from conftest import gateway_config
from support import http
from support.command import invoke
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import IDENTITY, Fixed, ScriptedServer

IMAGE = data_url(png("42"))
CONTRACT_2 = {"x-racro-contract": "2"}
CAPTION = {"text": "A bar.", "finish_reason": "stop", "usage": {"prompt_tokens": 1}}
DONE = {name: value for name, value in IDENTITY.items() if name != "parts"} | {"caption": [CAPTION]}
_numbers = count()


def solve(gateway: Service, question: str = "", **more: Any) -> Any:
    body = {"question": question or f"{next(_numbers)}?", "images": [IMAGE], "tentative": False}
    return http.post(f"{gateway.url}/v1/solve", json=body | more)


def events(*named: tuple[str, Any]) -> Fixed:
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in named)
    return Fixed(body=text.encode(), media_type="text/event-stream")


@pytest.fixture
def curious(captioner: ScriptedServer, reasoner: ScriptedServer):
    """A gateway that asks for the captioner's identity again and again."""
    config = gateway_config(captioner.url, reasoner.url)
    config["captioner"]["identity_ttl_s"] = 0.01
    with Service("gateway", config) as gateway:
        yield gateway


@pytest.mark.parametrize(
    "identity",
    [
        {"build": "2.0", "nested": {"a": [1]}},
        {"parts": ["regions", "caption", "tentative"]},
        {"parts": ["caption", {"name": "regions"}]},
        {"options": ["max_tokens", "temperature", "seed", "n", "top_p"]},
    ],
    ids=str,
)
def test_a_captioner_s_identity_may_say_more(
    captioner: ScriptedServer, curious: Service, identity: dict[str, Any]
) -> None:
    assert solve(curious, "before?").status_code == 200
    captioner.script.identity = IDENTITY | identity
    assert http.get(f"{curious.url}/readyz").status_code == 200
    assert solve(curious, "before?").json()["visual_context"]["cache"] == "hit"
    assert solve(curious).json()["visual_context"]["cache"] == "miss"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([("progress", {"percent": 10})], id="an event"),
        pytest.param([("progress", 10)], id="an event that is no object"),
        pytest.param([("delta", {"part": "regions", "text": "x"})], id="a part's text"),
        pytest.param([("delta", {"part": "caption", "text": "A", "logprob": -1})], id="a field"),
    ],
)
def test_a_captioner_s_stream_may_have_more(
    captioner: ScriptedServer, gateway: Service, more: list[tuple[str, Any]]
) -> None:
    captioner.script.fixed["/v1/perceive"] = events(*more, ("done", DONE))
    assert solve(gateway).json()["visual_context"]["caption"] == "A bar."


@pytest.mark.parametrize(
    "done",
    [
        {"seconds": 1.2},
        {"regions": [{"text": "x"}], "failed": {"regions": {"code": "x", "message": "y", "z": 1}}},
        {"caption": [CAPTION | {"logprobs": [1]}]},
        {"caption": [CAPTION | {"usage": {"cached_tokens": 1}}]},
        {"caption": [CAPTION | {"usage": None}]},
        {"caption": [CAPTION | {"usage": {"prompt_tokens": 1.5, "completion_tokens": "7"}}]},
    ],
    ids=str,
)
def test_a_captioner_s_answer_may_have_more(
    captioner: ScriptedServer, gateway: Service, done: dict[str, Any]
) -> None:
    captioner.script.fixed["/v1/perceive"] = events(("done", DONE | done))
    assert solve(gateway).json()["visual_context"]["caption"] == "A bar."


@pytest.mark.parametrize("reason", ["abort", "error", "content_filter", ""])
def test_a_caption_that_an_old_captioner_broke_off_is_not_cached(
    captioner: ScriptedServer, gateway: Service, reason: str
) -> None:
    broken = {"caption": [CAPTION | {"finish_reason": reason}]}
    captioner.script.fixed["/v1/perceive"] = events(("done", DONE | broken))
    question = f"{next(_numbers)}?"
    failed = solve(gateway, question)
    assert failed.status_code == 502
    assert f"finish_reason {reason!r}" in failed.json()["error"]["message"]
    captioner.script.fixed.clear()
    assert solve(gateway, question).json()["visual_context"]["cache"] == "miss"


def test_what_a_caption_needs_is_still_needed(captioner: ScriptedServer, gateway: Service) -> None:
    captioner.script.fixed["/v1/perceive"] = events(("done", {"caption": [CAPTION]}))
    assert solve(gateway).status_code == 502


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ({}, {"max_tokens": 2048}),
        ({"options": ["max_tokens", "top_p"]}, {"max_tokens": 2048}),
        ({"options": ["top_p"]}, {}),
        ({"options": []}, {}),
    ],
    ids=str,
)
def test_a_captioner_is_sent_the_options_that_it_accepts(
    captioner: ScriptedServer, curious: Service, told: dict[str, Any], sent: dict[str, Any]
) -> None:
    captioner.script.identity = IDENTITY | told
    http.get(f"{curious.url}/readyz")
    assert [solve(curious, "?").json()["visual_context"]["cache"] for _ in range(2)] == [
        "miss",
        "hit",
    ]
    [asked] = captioner.perceptions
    assert asked.json["options"] == sent
    assert asked.headers["x-racro-contract"] == "2"


@pytest.mark.parametrize("headers", [{}, {"x-racro-contract": "1"}, {"x-racro-contract": "two"}])
def test_a_gateway_of_contract_1_is_told_contract_1(
    ocr_captioner: Service, headers: dict[str, str]
) -> None:
    identity = http.get(f"{ocr_captioner.url}/v1/identity", headers=headers).json()
    assert list(identity) == ["model", "revision", "prompt_profile", "fingerprint", "parts"]
    for stream in (False, True):
        body = {"question": "?", "images": [IMAGE], "stream": stream}
        answer = http.post(f"{ocr_captioner.url}/v1/perceive", json=body, headers=headers)
        *deltas, done = perceived(answer.text) if stream else [answer.json()]
        assert all(list(delta) == ["part", "index", "text"] for delta in deltas)
        assert set(done) == {*identity, "caption", "tentative", "failed"} - {"parts"}


def perceived(text: str) -> list[Any]:
    blocks = (block for block in text.split("\n\n") if block and not block.startswith(":"))
    return [json.loads(block.partition("data: ")[2]) for block in blocks]


@pytest.mark.parametrize("contract", ["2", "3", "999999999"])
def test_a_gateway_of_contract_2_is_told_the_options(ocr_captioner: Service, contract: str) -> None:
    headers = {"x-racro-contract": contract}
    identity = http.get(f"{ocr_captioner.url}/v1/identity", headers=headers).json()
    more = ["max_pages", "caption_profile"]
    assert identity["options"] == ["max_tokens", "temperature", "seed", "n", *more]


@pytest.mark.parametrize(
    "more",
    [{"priority": 1}, {"options": {"top_p": 0.9}}, {"parts": ["regions"]}],
    ids=str,
)
def test_a_captioner_refuses_what_it_would_not_honour(
    ocr_captioner: Service, more: dict[str, Any]
) -> None:
    body = {"question": "?", "images": [IMAGE]} | more
    answer = http.post(f"{ocr_captioner.url}/v1/perceive", json=body, headers=CONTRACT_2)
    assert answer.status_code == 400
    assert next(iter(more)) in answer.json()["error"]["param"]


def test_the_command_line_leaves_out_what_a_later_gateway_tells(captioner: ScriptedServer) -> None:
    context = {"caption": "A bar.", "cache": "miss", "model": "m", "regions": []}
    captioner.script.fixed["/v1/solve"] = events(
        ("progress", 10),
        ("visual_context.done", context),
        ("answer.delta", {"text": "It is 42.", "logprob": -1}),
        ("done", {"answer": "42", "text": "It is 42.", "confidence": 1}),
        ("goodbye", {}),
    )
    for options in ([], ["--json"]):
        told = invoke("solve", *options, "--gateway", captioner.url, IMAGE, "How high?")
        assert told.returncode == 0, told.stderr
        assert "42" in told.stdout

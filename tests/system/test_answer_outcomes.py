"""How the answers of a reasoner ended is counted, those too that broke off after a 200."""

import pytest

from conftest import gateway_config
from support import http
from support.pictures import data_url, png
from support.processes import Service, wait_until
from support.scripted import Fixed

OUTCOMES = ("complete", "broken", "failed", "timeout", "left")
BROKEN_EACH = 20


@pytest.fixture
def gateway(captioner, reasoner):
    with Service("gateway", gateway_config(captioner.url, reasoner.url)) as service:
        yield service


def outcomes(gateway: Service) -> dict[str, float]:
    metrics = gateway.metrics()
    name = 'racro_reasoner_answers_total{{outcome="{}",reasoner="default"}}'
    return {outcome: metrics[name.format(outcome)] for outcome in OUTCOMES}


def chat_body(number: int, *, stream: bool) -> dict:
    message = {"role": "user", "content": f"What is {number} + 2?"}
    return {"model": "default", "stream": stream, "messages": [message]}


def solve_body(number: int) -> dict:
    return {"question": f"How high {number}?", "images": [data_url(png())], "stream": True}


def test_they_are_there_before_anybody_asks(gateway) -> None:
    assert outcomes(gateway) == dict.fromkeys(OUTCOMES, 0)


def test_whole_answers(gateway) -> None:
    for stream in (False, True):
        body = chat_body(0, stream=stream)
        assert http.post(f"{gateway.url}/v1/chat/completions", json=body).status_code == 200
    assert http.post(f"{gateway.url}/v1/solve", json=solve_body(0)).status_code == 200
    assert outcomes(gateway) == {**dict.fromkeys(OUTCOMES, 0), "complete": 3}


def test_forty_broken_streams_are_forty(gateway, reasoner) -> None:
    reasoner.script.die_after = 1
    for number in range(BROKEN_EACH):
        chat = http.post(f"{gateway.url}/v1/chat/completions", json=chat_body(number, stream=True))
        solved = http.post(f"{gateway.url}/v1/solve", json=solve_body(number))
        for answer in (chat, solved):
            assert answer.status_code == 200
            assert "upstream_unavailable" in answer.text
    assert outcomes(gateway) == {**dict.fromkeys(OUTCOMES, 0), "broken": 2 * BROKEN_EACH}


def test_what_fails_before_its_first_token(gateway, reasoner) -> None:
    reasoner.script.fixed = {"/v1/chat/completions": Fixed(500, b'{"error": "no"}')}
    for stream in (False, True):
        body = chat_body(0, stream=stream)
        answer = http.post(f"{gateway.url}/v1/chat/completions", json=body)
        assert answer.status_code == 503
    assert outcomes(gateway) == {**dict.fromkeys(OUTCOMES, 0), "failed": 2}


def test_what_takes_too_long(gateway, reasoner) -> None:
    reasoner.script.before_s = 5
    headers = {"x-racro-timeout-ms": "500"}
    body = chat_body(0, stream=False)
    url = f"{gateway.url}/v1/chat/completions"
    assert http.post(url, json=body, headers=headers).status_code == 504
    assert outcomes(gateway)["timeout"] == 1


def test_whom_the_client_leaves(gateway, reasoner) -> None:
    reasoner.script.held_at = 1
    body = chat_body(0, stream=True)
    with http.stream("POST", f"{gateway.url}/v1/chat/completions", json=body) as answer:
        next(answer.iter_bytes())
    wait_until(lambda: outcomes(gateway)["left"] == 1, what="the count")


def test_stages_that_fail(gateway, captioner) -> None:
    captioner.script.status = 500
    answer = http.post(f"{gateway.url}/v1/solve", json={**solve_body(1), "stream": False})
    assert answer.status_code in {502, 503}
    metrics = gateway.metrics()
    failed = [
        metrics[f'racro_stage_failures_total{{stage="{s}"}}'] for s in ("captioner", "perceive")
    ]
    assert failed == [1, 1]

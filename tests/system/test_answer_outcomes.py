"""How the answers of a reasoner ended is counted, those too that broke off after a 200."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import gateway_config
from support import http
from support.pictures import data_url, png
from support.processes import Service, wait_until
from support.scripted import Fixed

OUTCOMES = ("complete", "broken", "refused", "failed", "timeout", "left")
BROKEN_EACH = 20


@pytest.fixture
def gateway(captioner, reasoner):
    with Service("gateway", gateway_config(captioner.url, reasoner.url)) as service:
        yield service


def outcomes(gateway: Service) -> dict[str, float]:
    metrics = gateway.metrics()
    name = 'racro_reasoner_answers_total{{outcome="{}",reasoner="default",tenant=""}}'
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


def test_streams_that_say_that_they_broke(gateway, reasoner) -> None:
    """With an error in their midst, or ended by the engine: their clients see it."""
    begun = {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": "A"}}],
    }
    aborted = {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "abort"}],
    }
    for last in ({"error": {"message": "the engine died", "code": 500}}, aborted):
        reasoner.script.chunks = [begun, last]
        body = chat_body(0, stream=True)
        answer = http.post(f"{gateway.url}/v1/chat/completions", json=body)
        assert answer.status_code == 200
    assert outcomes(gateway) == {**dict.fromkeys(OUTCOMES, 0), "broken": 2}


def test_what_the_client_has_to_mend_is_refused(gateway, reasoner) -> None:
    error = b'{"error": {"message": "bad temperature", "type": "invalid_request_error"}}'
    reasoner.script.fixed = {"/v1/chat/completions": Fixed(400, error)}
    for stream in (False, True):
        body = chat_body(0, stream=stream)
        answer = http.post(f"{gateway.url}/v1/chat/completions", json=body)
        assert answer.status_code == 400
    assert outcomes(gateway) == {**dict.fromkeys(OUTCOMES, 0), "refused": 2}


def test_what_no_reasoner_was_asked_is_not_counted(captioner, reasoner) -> None:
    config = gateway_config(captioner.url, reasoner.url)
    config["reasoners"]["default"] |= {"max_in_flight": 1, "max_waiting": 1}
    reasoner.script.held_at = 0
    with Service("gateway", config) as gateway, ThreadPoolExecutor(8) as pool:
        url = f"{gateway.url}/v1/chat/completions"
        bodies = [chat_body(number, stream=False) for number in range(8)]
        asked = [pool.submit(http.post, url, json=body) for body in bodies]
        wait_until(lambda: sum(one.done() for one in asked) == 6, what="the refusals")
        reasoner.script.held_at = None
        statuses = sorted(one.result().status_code for one in asked)
        assert statuses == [200] * 2 + [503] * 6
        assert outcomes(gateway) == {**dict.fromkeys(OUTCOMES, 0), "complete": 2}


def test_a_reasoner_that_is_removed_leaves_no_series(captioner, reasoner) -> None:
    config = gateway_config(captioner.url, reasoner.url)
    config["reasoners"]["other"] = {**config["reasoners"]["default"], "model": "another"}
    with Service("gateway", config) as gateway:
        body = {**chat_body(0, stream=True), "model": "other"}
        assert http.post(f"{gateway.url}/v1/chat/completions", json=body).status_code == 200
        assert any('"other"' in name for name in gateway.metrics())
        del config["reasoners"]["other"]
        gateway.configure(config)

        def is_forgotten() -> bool:
            http.get(f"{gateway.url}/readyz")
            return not any("other" in series for series in gateway.metrics())

        wait_until(is_forgotten, what="the series to go")


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


def test_one_answer_of_two_is_a_stream_that_broke(gateway, reasoner) -> None:
    ending = {"index": 0, "delta": {"content": "A"}, "finish_reason": "stop"}
    chunk = {"object": "chat.completion.chunk", "choices": [ending]}
    # It ends in order, but for the other answer and [DONE].
    stream = Fixed(body=f"data: {json.dumps(chunk)}\n\n".encode(), media_type="text/event-stream")
    reasoner.script.fixed["/v1/chat/completions"] = stream
    for n, outcome in ((1, "complete"), (2, "broken")):
        body = {**chat_body(0, stream=True), "n": n}
        answer = http.post(f"{gateway.url}/v1/chat/completions", json=body)
        assert ('"error"' in answer.text) == (outcome == "broken")
        assert outcomes(gateway)[outcome] == 1

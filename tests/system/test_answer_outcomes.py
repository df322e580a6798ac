"""How the answers of a reasoner ended is counted, those too that broke off after a 200."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
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
    assert failures(gateway) == {"captioner": 0, "perceive": 0}
    assert gateway.metrics()['racro_stage_seconds_count{reasoner="",stage="captioner"}'] == 0


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


def test_what_leaves_our_own_queue_is_not_counted(captioner, reasoner) -> None:
    config = gateway_config(captioner.url, reasoner.url)
    config["reasoners"]["default"] |= {"max_in_flight": 1, "max_waiting": 9}
    reasoner.script.held_at = 0
    waiting = 'racro_queue_waiting{queue="reasoner default",tenant=""}'
    with Service("gateway", config) as gateway, ThreadPoolExecutor(2) as pool:
        url = f"{gateway.url}/v1/chat/completions"
        try:
            first = pool.submit(http.post, url, json=chat_body(0, stream=False))
            wait_until(lambda: reasoner.chats, what="the first request")
            headers = {"x-racro-timeout-ms": "300"}
            late = http.post(url, json=chat_body(1, stream=False), headers=headers)
            assert late.status_code == 504
            with http.client(timeout=0.5) as client, pytest.raises(httpx2.TimeoutException):
                client.post(url, json=chat_body(2, stream=False))
            wait_until(lambda: gateway.metrics()[waiting] == 0, what="the end of the wait")
        finally:
            reasoner.script.held_at = None
        assert first.result().status_code == 200
        assert outcomes(gateway) == {**dict.fromkeys(OUTCOMES, 0), "complete": 1}
        assert [*models_asked(gateway).values()] == [1]


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


def test_what_a_removed_reasoner_still_answers_leaves_no_series(captioner, reasoner) -> None:
    config = gateway_config(captioner.url, reasoner.url)
    limits = {"max_in_flight": 1, "max_waiting": 5}
    config["reasoners"]["other"] = {**config["reasoners"]["default"], "model": "other", **limits}
    reasoner.script.held_at = 0
    waiting = 'racro_queue_waiting{queue="reasoner other",tenant=""}'
    with Service("gateway", config) as gateway, ThreadPoolExecutor(2) as pool:
        url = f"{gateway.url}/v1/chat/completions"
        bodies = [{**chat_body(n, stream=True), "model": "other"} for n in range(2)]
        try:
            asked = [pool.submit(http.post, url, json=body) for body in bodies]
            wait_until(lambda: gateway.metrics()[waiting] == 1, what="one that waits")
            del config["reasoners"]["other"]
            gateway.configure(config)
            wait_until(lambda: waiting not in gateway.metrics(), what="the reload")
        finally:
            reasoner.script.held_at = None
        assert [one.result().status_code for one in asked] == [200, 200]
        http.get(f"{gateway.url}/readyz")
        assert [one for one in gateway.metrics() if "other" in one] == []


def test_the_model_that_was_asked_is_counted(captioner, reasoner) -> None:
    config = gateway_config(captioner.url, reasoner.url)
    section = {**config["reasoners"]["default"], "model": "seeing"}
    config["reasoners"] = {"default": {**section, "text_model": "talking"}, "other": section}
    with Service("gateway", config) as gateway:
        image = {"type": "image_url", "image_url": {"url": data_url(png())}}
        about_image = {"role": "user", "content": [image, {"type": "text", "text": "How high?"}]}
        for body in (chat_body(0, stream=False), {"model": "default", "messages": [about_image]}):
            url = f"{gateway.url}/v1/chat/completions"
            assert http.post(url, json=body).status_code == 200
        assert models_asked(gateway) == {"talking": 1, "seeing": 1}
        del config["reasoners"]["default"]["text_model"]
        del config["reasoners"]["other"]
        gateway.configure(config)
        wait_until(lambda: models_asked(gateway) == {"seeing": 1}, what="the series to go")


def models_asked(gateway: Service) -> dict[str, float]:
    """How many calls of models there were, by the model."""
    return {
        series.split('gen_ai_request_model="')[1].split('"')[0]: value
        for series, value in gateway.metrics().items()
        if series.startswith("gen_ai_client_operation_duration_seconds_count")
    }


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
    assert calls_that_failed(gateway) == {"timeout"}


def test_whom_the_client_leaves(gateway, reasoner) -> None:
    reasoner.script.held_at = 1
    body = chat_body(0, stream=True)
    with http.stream("POST", f"{gateway.url}/v1/chat/completions", json=body) as answer:
        next(answer.iter_bytes())
    wait_until(lambda: outcomes(gateway)["left"] == 1, what="the count")
    assert calls_that_failed(gateway) == {"left"}


def calls_that_failed(gateway: Service) -> set[str]:
    """The errors of calls of models, as the GenAI metrics name them."""
    return {
        series.split('error_type="')[1].split('"')[0]
        for series in gateway.metrics()
        if series.startswith("gen_ai_client_operation_duration_seconds_count")
    }


def failures(gateway: Service) -> dict[str, float]:
    metrics = gateway.metrics()
    return {
        stage: metrics[f'racro_stage_failures_total{{stage="{stage}"}}']
        for stage in ("captioner", "perceive")
    }


def test_a_captioner_that_hangs_is_a_stage_that_fails(gateway, captioner) -> None:
    captioner.script.held_at = 0
    headers = {"x-racro-timeout-ms": "500"}
    body = {**solve_body(1), "stream": False}
    assert http.post(f"{gateway.url}/v1/solve", json=body, headers=headers).status_code == 504
    wait_until(lambda: failures(gateway) == {"captioner": 1, "perceive": 1}, what="the counts")


def test_a_captioner_that_is_left_has_not_failed(gateway, captioner) -> None:
    captioner.script.held_at = 0
    with pytest.raises(httpx2.ReadTimeout):
        http.post(f"{gateway.url}/v1/solve", json={**solve_body(1), "stream": False}, timeout=0.5)
    in_flight = 'racro_queue_in_flight{queue="captioner",tenant=""}'
    wait_until(lambda: gateway.metrics()[in_flight] == 0, what="the call to end")
    assert failures(gateway) == {"captioner": 0, "perceive": 0}


def test_stages_that_fail(gateway, captioner) -> None:
    captioner.script.status = 500
    answer = http.post(f"{gateway.url}/v1/solve", json={**solve_body(1), "stream": False})
    assert answer.status_code in {502, 503}
    assert failures(gateway) == {"captioner": 1, "perceive": 1}


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


@pytest.mark.parametrize(
    ("status", "code", "failed"),
    [
        (400, "invalid_image", 0),
        (400, "context_length_exceeded", 0),
        (413, "too_large", 0),
        (400, "invalid_request", 1),
        (404, "not_found", 1),
        (405, "method_not_allowed", 1),
        (429, "rate_limited", 1),
    ],
)
def test_of_what_the_captioner_refuses_faults_of_images_are_no_failures(
    gateway, captioner, status, code, failed
) -> None:
    captioner.script.status = status
    error = {"type": "invalid_request_error", "code": code, "message": "refused"}
    captioner.script.plain = {"error": {**error, "param": "images[0]"}}
    answer = http.post(f"{gateway.url}/v1/solve", json={**solve_body(2), "stream": False})
    assert answer.status_code >= 400
    assert failures(gateway)["captioner"] == failed

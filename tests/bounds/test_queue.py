"""A captioner whose queue is full says so at once, through every door, and answers again later."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from conftest import gateway_config
from support import http
from support.bombs.drawings import dense_text
from support.pictures import data_url, encoded, text_picture
from support.processes import Service, wait_until
from support.scripted import ScriptedServer

_NUMBER = "4827"
_URL = data_url(encoded(text_picture(_NUMBER)))
_WAITING = "racro_captioner_waiting_requests"


@pytest.fixture(scope="module")
def captioner() -> Iterator[Service]:
    settings = {"workers": {"count": 1, "max_waiting": 1}}
    with Service("services.captioner", settings) as service:
        yield service


@pytest.fixture(scope="module")
def gateway(captioner: Service, _scripted_reasoner: ScriptedServer) -> Iterator[Service]:
    with Service("gateway", gateway_config(captioner.url, _scripted_reasoner.url)) as service:
        yield service


@contextmanager
def full(captioner: Service) -> Iterator[None]:
    """Have one picture read that takes long, and another wait, until the block ends."""
    body = json.dumps({"images": [data_url(dense_text(4_000, font_size=24))]})
    with ExitStack() as stack:
        for waiting in (0, 1):
            client = stack.enter_context(closing(HTTPConnection("127.0.0.1", captioner.port)))
            client.request("POST", "/v1/perceive", body)
            wait_until(lambda waiting=waiting: is_busy(captioner, waiting), what="a busy worker")
        yield


def is_busy(captioner: Service, waiting: int) -> bool:
    metrics = http.get(f"{captioner.url}/metrics").text
    return f"{_WAITING} {waiting}.0" in metrics and "racro_captioner_workers_busy 1.0" in metrics


def solve(**more: Any) -> dict[str, Any]:
    return {"question": "What is the number?", "images": [_URL], **more}


def chat(**more: Any) -> dict[str, Any]:
    parts = [
        {"type": "text", "text": "What is the number?"},
        {"type": "image_url", "image_url": {"url": _URL}},
    ]
    return {"model": "default", "messages": [{"role": "user", "content": parts}], **more}


def test_a_full_queue_is_told_at_once(captioner: Service) -> None:
    with full(captioner):
        # Of a client that would keep its connection.
        with http.client() as client:
            refused = client.post(f"{captioner.url}/v1/perceive", json=solve())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "connection" not in refused.headers
        assert refused.json()["error"]["code"] == "overloaded"
        assert "workers.max_waiting = 1" in refused.json()["error"]["message"]
        unready = http.get(f"{captioner.url}/readyz")
        assert unready.status_code == 503
        assert "1 requests wait for 1 workers" in unready.json()["checks"]["captioner"]
        # What is cached needs no worker, only whose captions they are.
        assert http.get(f"{captioner.url}/v1/identity").status_code == 200
        assert http.get(f"{captioner.url}/healthz").status_code == 200
    wait_until(lambda: http.get(f"{captioner.url}/readyz").status_code == 200, what="readiness")
    answer = http.post(f"{captioner.url}/v1/perceive", json=solve())
    assert _NUMBER in answer.json()["caption"][0]["text"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/solve", solve()),
        ("/v1/solve", solve(stream=True)),
        ("/v1/chat/completions", chat()),
        ("/v1/chat/completions", chat(stream=True)),
    ],
    ids=["solve", "streamed-solve", "chat", "streamed-chat"],
)
def test_a_full_queue_is_told_through_the_gateway(captioner, gateway, path, body) -> None:
    headers = {"cache-control": "no-store"}
    with full(captioner):
        refused = http.post(f"{gateway.url}{path}", json=body, headers=headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["error"]["code"] == "overloaded"
    wait_until(lambda: http.get(f"{captioner.url}/readyz").status_code == 200, what="readiness")
    assert http.post(f"{gateway.url}{path}", json=body, headers=headers).status_code == 200

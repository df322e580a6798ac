"""A service that is told to end ends what it began, and serves who has not heard of it yet."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import httpx2
import pytest

from support import http
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import Script, ScriptedServer

STREAMS = 20
# Longer than any test waits for the end of a process.
NEVER_S = 3600
PIECES = [f"{number} " for number in range(40)]


@pytest.fixture
def reasoner() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        server.script = Script(texts=PIECES)
        yield server


@contextmanager
def gateway(reasoner: ScriptedServer, **settings) -> Iterator[Service]:
    with ScriptedServer() as captioner:
        config = {
            "captioner": {"url": captioner.url},
            "reasoners": {"default": {"url": f"{reasoner.url}/v1", "model": "scripted"}},
            **settings,
        }
        with Service("gateway", config) as service:
            yield service


def chat(service: Service, *, stream: bool) -> dict:
    body = {"messages": [{"role": "user", "content": "?"}], "model": "default", "stream": stream}
    return {"url": f"{service.url}/v1/chat/completions", "json": body, "timeout": 30}


def read_stream(service: Service, begun: Barrier) -> str:
    with http.stream("POST", **chat(service, stream=True)) as response:
        lines = response.iter_lines()
        first = next(filter(None, map(content, lines)))
        begun.wait()
        return first + "".join(map(content, lines))


def begin_to_end(service: Service, told: signal.Signals = signal.SIGTERM) -> None:
    service.process.send_signal(told)
    ready = f"{service.url}/readyz"
    wait_until(lambda: http.get(ready).status_code == 503, what="not ready")


@contextmanager
def endless(service: Service) -> Iterator[None]:
    """A stream that has begun."""
    with http.stream("POST", **chat(service, stream=True)) as response:
        chunks = response.iter_bytes()
        assert next(chunks)
        yield


def content(line: str) -> str:
    if not line.startswith("data: {"):
        return ""
    [choice] = json.loads(line.removeprefix("data: "))["choices"] or [{"delta": {}}]
    return choice["delta"].get("content") or ""


@contextmanager
def ending(
    reasoner: ScriptedServer, told: signal.Signals
) -> Iterator[tuple[Service, httpx2.Client]]:
    """A gateway that was told to end while streams are in flight, and a client that it knows.

    The streams end, whole, and then the gateway does when the block is left.
    """
    with (
        gateway(reasoner, shutdown_timeout_s=PATIENCE_S) as service,
        ThreadPoolExecutor(STREAMS) as pool,
        http.client() as kept,
    ):
        assert kept.post(**chat(service, stream=False)).status_code == 200
        reasoner.script.held_at = len(PIECES) // 2
        begun = Barrier(STREAMS + 1)
        streams = [pool.submit(read_stream, service, begun) for _ in range(STREAMS)]
        begun.wait(PATIENCE_S)
        begin_to_end(service, told)
        yield service, kept
        assert not any(stream.done() for stream in streams)
        reasoner.script.held_at = None
        assert [stream.result() for stream in streams] == ["".join(PIECES)] * STREAMS
        assert service.process.wait(PATIENCE_S) == 0


def test_streams_end_whole_while_new_requests_are_served(reasoner: ScriptedServer) -> None:
    with ending(reasoner, signal.SIGTERM) as (service, kept):
        for client in (kept, http):
            answer = client.post(**chat(service, stream=False))
            assert answer.status_code == 200
            assert answer.headers["connection"] == "close"
            assert answer.headers["x-racro-ending"]
        for path in ("/readyz", "/healthz", "/metrics"):
            assert http.get(service.url + path).headers["connection"] == "close"


def test_after_ctrl_c_new_requests_are_sent_away(reasoner: ScriptedServer) -> None:
    with ending(reasoner, signal.SIGINT) as (service, kept):
        for client in (kept, http):
            answer = client.post(**chat(service, stream=False))
            assert answer.status_code == 503
            assert answer.headers["connection"] == "close"
            assert answer.headers["retry-after"]
            assert "x-racro-begun" not in answer.headers
            assert answer.json()["error"] == {
                "type": "server_error",
                "code": "upstream_unavailable",
                "message": "the service is shutting down",
                "param": None,
            }
        assert http.get(f"{service.url}/healthz").status_code == 200
        assert http.get(f"{service.url}/metrics").status_code == 200


def test_one_without_work_waits_for_who_has_not_heard_of_it(reasoner: ScriptedServer) -> None:
    quiet = {"shutdown_timeout_s": NEVER_S, "shutdown_quiet_s": NEVER_S}
    with gateway(reasoner, **quiet) as service, http.client() as kept:
        assert kept.post(**chat(service, stream=False)).status_code == 200
        begin_to_end(service)
        answer = kept.post(**chat(service, stream=False))
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert service.process.poll() is None
        assert service.stop() == 0


def test_one_without_work_ends_at_once_whatever_connections_are_kept() -> None:
    with (
        ScriptedServer() as reasoner,
        gateway(reasoner, shutdown_timeout_s=NEVER_S) as service,
        http.client() as kept,
    ):
        assert kept.get(f"{service.url}/v1/models").status_code == 200
        assert service.stop() == 0


def test_a_stream_that_does_not_end_holds_a_stopping_service_up_only_so_long(
    reasoner: ScriptedServer,
) -> None:
    reasoner.script.held_at = 1
    with gateway(reasoner, shutdown_timeout_s=1) as service, endless(service):
        assert service.stop() == 0


def test_a_second_signal_ends_it_now(reasoner: ScriptedServer) -> None:
    reasoner.script.held_at = 1
    with gateway(reasoner, shutdown_timeout_s=NEVER_S) as service, endless(service):
        begin_to_end(service)
        assert service.stop() == 0

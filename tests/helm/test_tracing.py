"""One trace goes through all services, and holds nothing of what was asked or answered."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from conftest import gateway_config
from support import http
from support.collector import Collector, Span
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service, wait_until
from support.scripted import ScriptedServer

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
# Of one solve: five of the gateway, three of the captioner, two of the reasoner.
SPANS = 10
SECRETS = ["How high is the swordfish?", "A swordfish is drawn", "four fathoms"]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def engine() -> Iterator[ScriptedServer]:
    """Sees, and reasons."""
    with ScriptedServer() as server:
        server.script.texts = [SECRETS[1], " \\boxed{four fathoms}"]
        yield server


@pytest.fixture(scope="module")
def stack(collector: Collector, engine: ScriptedServer) -> Iterator[Service]:
    """The gateway over our two services, over an engine that is scripted."""
    settings = {"kind": "url", "url": f"{engine.url}/v1", "model": "scripted"}
    seeing = {"captioner": {"kind": "vlm", "engine": settings}}
    env = collector.environment
    with (
        Service("services.captioner", seeing, env=env) as captioner,
        Service(
            "services.reasoner", {"model": "scripted", "engine": settings}, env=env
        ) as reasoner,
        Service("gateway", gateway_config(captioner.url, reasoner.url), env=env) as gateway,
    ):
        yield gateway


def solve(gateway: Service, *, sampled: bool = True, trace: str = TRACE) -> httpx2.Response:
    body = {"question": SECRETS[0], "images": [data_url(png("42"))], "cache": "bypass"}
    parent = f"00-{trace}-{PARENT}-{'01' if sampled else '00'}"
    return http.post(
        f"{gateway.url}/v1/solve",
        json=body,
        headers={"traceparent": parent},
    )


def tree(spans: list[Span], parent: str) -> frozenset[Any]:
    return frozenset(
        (span.service, span.name, tree(spans, span.id)) for span in spans if span.parent == parent
    )


def node(service: str, name: str, *below: Any) -> Any:
    return (f"racro-{service}", name, frozenset(below))


@pytest.fixture(scope="module")
def solved(stack: Service, collector: Collector) -> list[Span]:
    assert solve(stack).status_code == 200
    wait_until(lambda: len(collector.trace(TRACE)) >= SPANS, what="the spans")
    return collector.trace(TRACE)


def test_a_solve_is_one_trace_below_its_clients(solved: list[Span]) -> None:
    looking = node(
        "captioner",
        "POST /v1/perceive",
        node("captioner", "chat scripted"),
    )
    reasoning = node("reasoner", "POST /v1/chat/completions", node("reasoner", "chat scripted"))
    whole = node(
        "gateway",
        "POST /v1/solve",
        node("gateway", "load images"),
        node("gateway", "perceive", node("gateway", "POST /v1/perceive", looking)),
        node("gateway", "chat scripted", reasoning),
    )
    assert tree(solved, PARENT) == {whole}
    # Caption and tentative response.
    names = [(span.service, span.name) for span in solved]
    assert names.count(("racro-captioner", "chat scripted")) == 2


def test_the_engine_is_told_the_trace(solved: list[Span], engine: ScriptedServer) -> None:
    spans = {span.id for span in solved if span.name == "chat scripted"}
    told = [asked.headers["traceparent"].split("-") for asked in engine.chats]
    assert len(told) == 3
    assert all(trace == TRACE and span in spans for _, trace, span, _ in told)


def test_spans_tell_what_operators_ask(solved: list[Span]) -> None:
    by_name = {(span.service, span.name): span for span in solved}
    served = by_name["racro-gateway", "POST /v1/solve"]
    assert served.kind == 2  # SERVER
    assert served.attributes["http.route"] == "/v1/solve"
    assert served.attributes["http.response.status_code"] == 200
    assert served.attributes["racro.request_id"]
    assert by_name["racro-gateway", "perceive"].attributes == {"racro.cache": "bypass"}
    asked = by_name["racro-gateway", "chat scripted"]
    assert asked.kind == 3  # CLIENT
    assert asked.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "scripted",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
    }


def test_no_text_is_traced(solved: list[Span], collector: Collector) -> None:
    assert b"/v1/solve" in collector.received
    for secret in SECRETS:
        assert secret.encode() not in collector.received


def test_a_failure_is_marked_where_it_happened(
    stack: Service, collector: Collector, engine: ScriptedServer
) -> None:
    trace = "1" * 32
    engine.script.status = 500
    try:
        assert solve(stack, trace=trace).status_code == 503
    finally:
        engine.script.status = 200
    expected = {("racro-captioner", "chat scripted"), ("racro-gateway", "POST /v1/solve")}

    def failed() -> set[tuple[str, str]]:
        return {(span.service, span.name) for span in collector.trace(trace) if span.failed}

    # Each service sends its own.
    wait_until(lambda: expected <= failed(), what="the spans that failed")
    [root] = [span for span in collector.trace(trace) if span.parent == PARENT]
    assert root.attributes["error.type"] == "503"


def test_what_the_client_leaves_out_is_not_traced(
    stack: Service, collector: Collector, engine: ScriptedServer
) -> None:
    left_out, traced = "2" * 32, "3" * 32
    engine.asked.clear()
    assert solve(stack, sampled=False, trace=left_out).status_code == 200
    # Passed on, so that nobody behind it decides anew.
    told = {asked.headers["traceparent"].split("-")[1] for asked in engine.chats}
    assert told == {left_out}
    assert solve(stack, trace=traced).status_code == 200
    wait_until(lambda: len(collector.trace(traced)) >= SPANS, what="the spans")
    assert collector.trace(left_out) == []


def test_probes_are_not_traced(stack: Service, collector: Collector) -> None:
    assert http.get(f"{stack.url}/metrics").status_code == 200
    assert http.get(f"{stack.url}/v1/models").status_code == 200
    wait_until(
        lambda: any(span.name == "GET /v1/models" for span in collector.spans), what="the span"
    )
    assert not any("metrics" in span.name or "readyz" in span.name for span in collector.spans)


def test_a_collector_that_is_away_holds_nothing_up(
    captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with Service("gateway", gateway_config(captioner.url, reasoner.url), env=env) as gateway:
        assert solve(gateway).status_code == 200
        assert gateway.stop() == 0


def test_a_protocol_that_is_not_spoken_stops_the_boot(collector: Collector) -> None:
    env = {**os.environ, **collector.environment, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    ended = subprocess.run(
        [sys.executable, "-m", "services.captioner"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 1
    assert "OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf is the one that is spoken" in ended.stderr


def test_who_does_not_trace_loads_nothing_for_it() -> None:
    program = "import sys, gateway.app; sys.exit('opentelemetry.exporter.otlp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_slow_request_leads_to_its_trace_and_its_log_lines(stack: Service) -> None:
    trace = "7" * 32
    assert solve(stack, trace=trace).status_code == 200
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    told = http.get(f"{stack.url}/metrics", headers=accept).text
    # Of each bucket the last one.
    noted = {
        (sample.labels.get("route") or sample.labels["stage"], sample.exemplar.labels["trace_id"])
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.exemplar
    }
    assert {("/v1/solve", trace), ("reason", trace), ("perceive", trace)} <= noted
    [line] = [one for one in stack.log_records() if one.get("trace_id") == trace]
    assert (line["message"], line["status"]) == ("POST /v1/solve", 200)

"""What traces cost the gateway: CPU time per request with them and without, asked in turn.

The collector is a server on another core, which takes what comes.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from statistics import median
from typing import Any

from benchmarks import deployments, load
from benchmarks.load import Load
from benchmarks.pictures import Noise
from benchmarks.processes import Process, measured_core, other_cores
from benchmarks.report import Row
from benchmarks.upstream import INSTANT
from racro.servekit.byte_budget import ByteBudget
from racro.servekit.exchange import Exchange
from racro.servekit.tracing import server_span, step, trace_headers

_COUNT = 1500
_CONCURRENCY = 16
_ROUNDS = 7
_OFF_COUNT = 100_000
_TARGET = 1.1
_EVERY, _TENTH, _OFF = "every request traced", "one in ten traced", "none traced"
_QUESTION = f"How high is the bar, {INSTANT}?"


def run() -> list[Row]:
    with other_cores(), deployments.upstream() as peer, ExitStack() as stack:
        every = {"OTEL_EXPORTER_OTLP_ENDPOINT": peer.url}
        tenth = {
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.1",
        }
        environments = {_EVERY: every, _TENTH: {**every, **tenth}, _OFF: {}}
        with measured_core():
            gateways = {
                name: stack.enter_context(deployments.gateway(peer.url, env=env))
                for name, env in environments.items()
            }
            compared = [
                row for name, asked in _loads().items() for row in _compare(name, asked, gateways)
            ]
    left = Row(
        "tracing", "what is left of it in a solve when it is off", _left_when_off_us(), "CPU µs"
    )
    return [*compared, left]


def _loads() -> Mapping[str, Load]:
    def chat(*, stream: bool) -> Load:
        message = {"role": "user", "content": "What is the height of the bar in April?"}
        body = json.dumps({"model": "default", "messages": [message], "stream": stream}).encode()
        return Load("/v1/chat/completions", lambda _: body, _COUNT, _CONCURRENCY)

    noise = Noise(20_000)
    cached = [noise.solve_body(f"hit {number}", _QUESTION) for number in range(_CONCURRENCY)]
    return {
        "chat, plain": chat(stream=False),
        "chat, stream": chat(stream=True),
        "solve, cached": Load(
            "/v1/solve", lambda number: cached[number % len(cached)], _COUNT, _CONCURRENCY
        ),
    }


def _compare(name: str, asked: Load, gateways: Mapping[str, Process]) -> list[Row]:
    rounds = [
        {which: _cpu_us(gateway, asked) for which, gateway in gateways.items()}
        for _ in range(_ROUNDS + 1)
    ][1:]  # the first warms up
    rows = [
        Row("tracing", f"{name}: {_OFF}", median(one[_OFF] for one in rounds), "CPU µs/request")
    ]
    for traced in (_EVERY, _TENTH):
        ratio = median(one[traced] / one[_OFF] for one in rounds)
        rows.append(Row("tracing", f"{name}: {traced}, to {_OFF}", ratio, "×", _TARGET))
    return rows


def _cpu_us(gateway: Process, asked: Load) -> float:
    before = gateway.cpu_seconds()
    load.run(gateway.port, asked)
    return (gateway.cpu_seconds() - before) / asked.count * 1e6


def _left_when_off_us() -> float:
    """Measures the span of a request, those of three steps, and the headers that are not sent."""
    scope = {"type": "http", "method": "POST", "path": "/v1/solve", "headers": []}
    exchange = Exchange(scope, _never, _never, max_body_bytes=0, budget=ByteBudget(0))

    def traced() -> None:
        with server_span(exchange):
            for _ in range(3):
                with step("a step"):
                    trace_headers()

    def untraced() -> None:
        for _ in range(3):
            pass

    with_it, without = (min(_seconds(run) for _ in range(_ROUNDS)) for run in (traced, untraced))
    return (with_it - without) / _OFF_COUNT * 1e6


def _seconds(run: Callable[[], None]) -> float:
    before = time.process_time()
    for _ in range(_OFF_COUNT):
        run()
    return time.process_time() - before


async def _never(*_: object) -> Any:
    raise AssertionError

"""A chat request without images: the gateway's CPU time against vllm-router's.

A stream has 32 chunks, which the upstream sends at once or, as engines do, one by one.

Both stand before the same upstream on a core of their own, and are asked in turn. CPU time per
request is what a shared machine cannot blur; requests per second are there for information.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median

from benchmarks import deployments, load
from benchmarks.load import Load
from benchmarks.processes import Process, measured_core, other_cores
from benchmarks.report import Row
from benchmarks.upstream import PACE_S, PACED

OURS, THEIRS = "gateway", "vllm-router"

_CONCURRENCIES = (16, 64, 256)
_ROUNDS = 5


@dataclass(frozen=True)
class _Scenario:
    name: str
    stream: bool
    count: int
    target: float
    text: str = "What is the height of the bar in April?"

    def load(self, concurrency: int) -> Load:
        message = {"role": "user", "content": self.text}
        # The router sends the model's name on as it is; ours knows the reasoner by this one.
        request = {"model": "default", "messages": [message], "stream": self.stream}
        body = json.dumps(request).encode()
        return Load("/v1/chat/completions", lambda _: body, self.count, concurrency)


_SCENARIOS = (
    _Scenario("plain", stream=False, count=4000, target=1.8),
    _Scenario("stream", stream=True, count=1000, target=0.9),
    _Scenario(
        f"stream, {PACE_S * 1000:g} ms a chunk",
        stream=True,
        count=1024,
        target=1.0,
        text=f"The same, {PACED}.",
    ),
)


@dataclass(frozen=True)
class _Sample:
    cpu_us: float
    per_second: float


def run(vllm_router: Path) -> list[Row]:
    with other_cores(), deployments.upstream() as peer, ExitStack() as stack:
        with measured_core():
            ours = stack.enter_context(deployments.gateway(peer.url))
            theirs = stack.enter_context(deployments.vllm_router(vllm_router, peer.url))
        return _compare({OURS: ours, THEIRS: theirs})


def _compare(proxies: Mapping[str, Process]) -> list[Row]:
    rows: list[Row] = []
    for scenario, concurrency in product(_SCENARIOS, _CONCURRENCIES):
        for proxy in proxies.values():
            _sample(proxy, scenario, concurrency)  # warms up
        rounds = [
            {name: _sample(proxy, scenario, concurrency) for name, proxy in proxies.items()}
            for _ in range(_ROUNDS)
        ]
        rows += _rows(f"{scenario.name}, {concurrency} at a time", scenario.target, rounds)
    return rows


def _sample(proxy: Process, scenario: _Scenario, concurrency: int) -> _Sample:
    before = proxy.cpu_seconds()
    answers = load.run(proxy.port, scenario.load(concurrency))
    cpu = proxy.cpu_seconds() - before
    if scenario.stream and not all(b"[DONE]" in body for body in answers.bodies):
        raise RuntimeError("a stream did not come to its end")
    return _Sample(cpu / scenario.count * 1e6, answers.per_second)


def _rows(name: str, target: float, rounds: Sequence[Mapping[str, _Sample]]) -> list[Row]:
    rows = []
    for proxy in (OURS, THEIRS):
        cpu_us = median(one[proxy].cpu_us for one in rounds)
        per_second = median(one[proxy].per_second for one in rounds)
        rows += [
            Row("passthrough", f"{name}: {proxy}", cpu_us, "CPU µs/request"),
            Row("passthrough", f"{name}: {proxy}", per_second, "requests/s"),
        ]
    ratio = median(one[OURS].cpu_us / one[THEIRS].cpu_us for one in rounds)
    rows.append(Row("passthrough", f"{name}: ratio", ratio, "×", target))
    return rows

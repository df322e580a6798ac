"""Solves whose visual context is cached, in the process or in Redis, with a reasoner that answers
at once: what the gateway adds, and how many a core does.
"""

import json
from collections.abc import Iterator
from statistics import median

from benchmarks import deployments, load
from benchmarks.images import perceive_ms
from benchmarks.load import Load
from benchmarks.pictures import Noise
from benchmarks.processes import Process, other_cores
from benchmarks.report import Row
from benchmarks.upstream import INSTANT

_BYTES = 20_000
_COUNT = 2000
_ONE_BY_ONE = 500
_CONCURRENCY = 16
_ROUNDS = 3
_QUESTION = f"How high is the bar, {INSTANT}?"
_CPU_TARGET_US = 1000
# The median of what a hit adds, in milliseconds.
_ADDED_TARGETS_MS = {"the process": 1.5, "Redis": 3.0}


def run() -> list[Row]:
    with deployments.scripted_gateway() as near:
        rows = [*_rows("the process", near)]
    # Without room in the process every hit is one of Redis.
    with (
        other_cores(),
        deployments.redis() as url,
        deployments.scripted_gateway(cache={"url": url, "max_bytes": 0}) as far,
    ):
        return [*rows, *_rows("Redis", far)]


def _rows(tier: str, gateway: Process) -> Iterator[Row]:
    noise = Noise(_BYTES)
    # As many as are asked at once: identical requests would share one look into Redis.
    bodies = [noise.solve_body(f"hit {number}", _QUESTION) for number in range(_CONCURRENCY)]

    def body(number: int) -> bytes:
        return bodies[number % len(bodies)]

    one_by_one = Load("/v1/solve", body, _ONE_BY_ONE)
    many = Load("/v1/solve", body, _COUNT, _CONCURRENCY)
    load.run(gateway.port, Load("/v1/solve", body, len(bodies)))
    cpu_us = []
    for _ in range(_ROUNDS):
        before = gateway.cpu_seconds()
        _all_hits(load.run(gateway.port, many).bodies)
        cpu_us.append((gateway.cpu_seconds() - before) / _COUNT * 1e6)
    answers = load.run(gateway.port, one_by_one).bodies
    _all_hits(answers)
    added = median(perceive_ms(answers))
    name = f"20 KB image, cached in {tier}"
    yield Row("cached", name, median(cpu_us), "CPU µs/request", _CPU_TARGET_US)
    yield Row("cached", f"{name}: added", added, "ms", _ADDED_TARGETS_MS[tier])


def _all_hits(answers: list[bytes]) -> None:
    results = {json.loads(answer)["visual_context"]["cache"] for answer in answers}
    if results != {"hit"}:
        raise RuntimeError(f"measured {results}, not hits")

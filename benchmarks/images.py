"""What an image costs whose visual context is in the cache: it is read and digested, no more."""

import json
from statistics import median

from benchmarks import deployments, load
from benchmarks.load import Load
from benchmarks.pictures import Noise
from benchmarks.processes import Process
from benchmarks.report import Row

# Size in bytes, hits, target in milliseconds of CPU.
_SIZES = {
    "10 MB": (10_000_000, 40, 60.0),
    "200 KB": (200_000, 400, 2.0),
    "2 KB": (2_000, 400, None),
}
_WARM_UP = 5
_ADDED_TARGET_MS = 5


def run() -> list[Row]:
    with deployments.scripted_gateway() as gateway:
        rows = [_cpu(gateway, name, *about) for name, about in _SIZES.items()]
        return [*rows, _added(gateway)]


def _cpu(gateway: Process, name: str, size: int, count: int, target: float | None) -> Row:
    body = Noise(size).solve_body("hit")
    load.run(gateway.port, Load("/v1/solve", lambda _: body, _WARM_UP))
    before = gateway.cpu_seconds()
    answers = load.run(gateway.port, Load("/v1/solve", lambda _: body, count))
    cpu_ms = (gateway.cpu_seconds() - before) / count * 1000
    perceive_ms(answers.bodies)
    return Row("images", f"cache hit, {name} as data URL", cpu_ms, "CPU ms/request", target)


def _added(gateway: Process) -> Row:
    """Until the reasoner is asked, by the gateway's own clock."""
    body = Noise(2_000).solve_body("added")
    load.run(gateway.port, Load("/v1/solve", lambda _: body, _WARM_UP))
    answers = load.run(gateway.port, Load("/v1/solve", lambda _: body, 300))
    added = median(perceive_ms(answers.bodies))
    return Row("images", "time that a hit adds, 2 KB", added, "ms", _ADDED_TARGET_MS)


def perceive_ms(bodies: list[bytes]) -> list[float]:
    """What each hit added; raises for one that was none."""
    solved = [json.loads(body) for body in bodies]
    if any(one["visual_context"]["cache"] != "hit" for one in solved):
        raise RuntimeError("a request missed the cache")
    return [one["timing_ms"]["perceive"] for one in solved]

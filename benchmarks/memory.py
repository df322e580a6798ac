"""What the gateway still holds after many large images that were new to it."""

import json
import time

from benchmarks import deployments, load
from benchmarks.load import Load
from benchmarks.pictures import Noise
from benchmarks.report import Row

_IMAGE_BYTES = 5_000_000
_SOLVES = 200
_CONCURRENCY = 4
_TARGET_MIB = 110
_SETTLE_S = 2


def run() -> list[Row]:
    picture = Noise(_IMAGE_BYTES)
    misses = Load(
        "/v1/solve", lambda number: picture.solve_body(str(number)), _SOLVES, _CONCURRENCY
    )
    with deployments.scripted_gateway() as gateway:
        idle = gateway.rss_mib()
        _check(load.run(gateway.port, misses).bodies)
        time.sleep(_SETTLE_S)
        return [
            Row("memory", "gateway, idle", idle, "MiB"),
            Row("memory", "gateway, at most", gateway.peak_rss_mib(), "MiB"),
            Row("memory", "gateway, after 200 × 5 MB", gateway.rss_mib(), "MiB", _TARGET_MIB),
        ]


def _check(bodies: list[bytes]) -> None:
    if any(json.loads(body)["visual_context"]["cache"] != "miss" for body in bodies):
        raise RuntimeError("an image was not new to the gateway")

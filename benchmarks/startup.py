"""From nothing to the first answer of the embedded default, its files in the page cache."""

import base64
import json
import time
from statistics import median

import httpx2

from benchmarks import deployments
from benchmarks.processes import REPOSITORY, Process
from benchmarks.report import Row

_RUNS = 3
_TARGET_S = 15
_TIMEOUT_S = 120


def run() -> list[Row]:
    seconds = [_first_answer_s() for _ in range(_RUNS)]
    return [
        Row("startup", "embedded default, to the first answer", median(seconds), "s", _TARGET_S)
    ]


def _first_answer_s() -> float:
    body = _body()
    started = time.perf_counter()
    with deployments.embedded() as gateway:
        while not _answers(gateway, body):
            if time.perf_counter() - started > _TIMEOUT_S:
                raise RuntimeError(f"no answer within {_TIMEOUT_S} s:\n{gateway.log()}")
            time.sleep(0.1)
        return time.perf_counter() - started


def _answers(gateway: Process, body: bytes) -> bool:
    try:
        answer = httpx2.post(
            gateway.url + "/v1/solve",
            content=body,
            headers={"content-type": "application/json"},
            timeout=_TIMEOUT_S,
        )
    except httpx2.TransportError:
        return False
    return answer.status_code == 200


def _body() -> bytes:
    image = (REPOSITORY / "examples" / "bar-chart.png").read_bytes()
    url = "data:image/png;base64," + base64.b64encode(image).decode()
    question = "How many units were sold in April?"
    return json.dumps({"question": question, "images": [url]}).encode()

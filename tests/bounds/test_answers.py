"""Whatever a reasoner answers, the gateway's event loop computes 50 ms at most at a stretch."""

import gzip
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from conftest import gateway_config
from support import http
from support.loop_cpu import MeasuredService
from support.scripted import Fixed, ScriptedServer

_LONGEST_S = 0.05
_MIB = 2**20
_EVENTS = "text/event-stream"


class Row(NamedTuple):
    """What a reasoner answers, the request's `stream`, and the status that the client gets."""

    answer: Callable[[], Fixed]
    stream: bool
    status: int
    says: str = ""


def packed(size: int) -> bytes:
    return gzip.compress(bytes(size), compresslevel=1)


def completion(content: str) -> bytes:
    return b'{"choices":[{"index":0,"message":{"content":"%b"}}]}' % content.encode()


ROWS = {
    "one-endless-line": Row(
        lambda: Fixed(body=b"data: " + b"x" * (60 * _MIB), media_type=_EVENTS), True, 200
    ),
    "short-lines": Row(lambda: Fixed(body=b"\n" * (20 * _MIB), media_type=_EVENTS), True, 200),
    "lines-about-usage": Row(
        lambda: Fixed(body=b'data: {"usage":\n' * 500_000, media_type=_EVENTS), True, 200
    ),
    "plain-64-mib": Row(lambda: Fixed(body=completion("x" * (60 * _MIB))), False, 200),
    "plain-over-64-mib": Row(lambda: Fixed(body=bytes(70 * _MIB)), False, 503, "broke off"),
    "plain-values": Row(lambda: Fixed(body=b'{"usage":[' + b"1," * 5_000_000 + b"1]}"), False, 200),
    "compressed": Row(
        lambda: Fixed(body=packed(1000 * _MIB), headers={"content-encoding": "gzip"}),
        False,
        502,
        "compressed its answer",
    ),
    "failure-64-mib": Row(
        lambda: Fixed(status=400, body=b'{"message":"' + b"x" * (60 * _MIB) + b'"}'), False, 400
    ),
}


@pytest.fixture(scope="module")
def measured(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[MeasuredService]:
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url)
    with MeasuredService("gateway", config) as service:
        yield service


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ROWS.items()])
def test_no_answer_holds_the_event_loop_up(
    measured: MeasuredService, captioner: ScriptedServer, reasoner: ScriptedServer, row: Row
) -> None:
    reasoner.script.fixed["/v1/chat/completions"] = row.answer()
    measured.clear()
    asked = {"messages": [{"role": "user", "content": "What?"}], "stream": row.stream}
    answer = http.post(f"{measured.url}/v1/chat/completions", json=asked)
    assert http.get(f"{measured.url}/healthz").status_code == 200
    found = measured.stretches()
    print(  # noqa: T201
        f"{answer.status_code}: loop {found.cpu_s * 1000:.0f} ms,"
        f" by the clock {found.wall_s * 1000:.0f} ms, process {found.process_cpu_s:.2f} s,"
        f" {measured.peak_mib():.0f} MiB; {answer.text[:120]}"
    )
    assert (answer.status_code, row.says in answer.text) == (row.status, True)
    assert found.cpu_s <= _LONGEST_S

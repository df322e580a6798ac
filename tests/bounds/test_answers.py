"""Whatever upstreams answer, the gateway's event loop computes 50 ms at most at a stretch."""

import gzip
from collections.abc import Callable
from typing import NamedTuple

import httpx2
import pytest

from support import http
from support.loop_cpu import MeasuredService
from support.pictures import data_url, png
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


BEGINNING = b'data: {"choices":[{"delta":{"content":"It"},"finish_reason":"stop"}]}\n\n'


def streamed(body: bytes, *, begins_well: bool = True) -> Row:
    """A stream that goes on in a way that no completion does, or begins so."""
    whole = BEGINNING + body if begins_well else body
    return Row(lambda: Fixed(body=whole, media_type=_EVENTS), True, 200 if begins_well else 502)


ROWS = {
    "one-endless-line": streamed(b"data: " + b"x" * (60 * _MIB)),
    "short-lines": streamed(b"\n" * (20 * _MIB)),
    "lines-about-usage": streamed(b'data: {"usage":\n' * 500_000),
    "nothing-but-a-line": streamed(b"data: " + b"x" * (60 * _MIB), begins_well=False),
    "nothing-but-lines-about-usage": streamed(b'data: {"usage":\n' * 500_000, begins_well=False),
    "plain-64-mib": Row(lambda: Fixed(body=completion("x" * (60 * _MIB))), False, 200),
    "plain-over-64-mib": Row(lambda: Fixed(body=bytes(70 * _MIB)), False, 503, "broke off"),
    "plain-values": Row(
        lambda: Fixed(body=b'{"choices":[],"usage":[' + b"1," * 5_000_000 + b"1]}"), False, 200
    ),
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


def chunk(delta: str) -> bytes:
    return b'data: {"choices":[{"delta":%b,"finish_reason":"stop"}]}\n\n' % delta.encode()


def said(content: str) -> bytes:
    return chunk(f'{{"content":"{content}"}}')


_REASONER, _CAPTIONER = "/v1/chat/completions", "/v1/perceive"
EVENTS = {
    "long-event": (_REASONER, lambda: said("x" * (5 * _MIB)), 502, "an event over 4 MiB"),
    "long-answer": (_REASONER, lambda: said("x" * _MIB) * 3, 502, "over 1048576 characters"),
    "event-without-end": (_REASONER, lambda: b"data: " + b"x" * (60 * _MIB), 502, "over 4 MiB"),
    "event-of-lines": (_REASONER, lambda: b"data:\n" * 600_000 + b"\n", 502, "10000 lines"),
    "event-of-choices": (
        _REASONER,
        lambda: b'data: {"choices":[' + b"{}," * 1_000_000 + b"{}]}\n\n",
        502,
        "too many values",
    ),
    "many-events": (_REASONER, lambda: said("") * 300_000 + b"data: [DONE]\n\n", 200, ""),
    "many-comments": (_REASONER, lambda: b":\n\n" * 5_000_000, 503, "broke off"),
    "caption-of-numbers": (
        _CAPTIONER,
        lambda: b'event: done\ndata: {"caption":[' + b"1," * 1_900_000 + b"1]}\n\n",
        502,
        "does not fit its contract",
    ),
    "many-deltas": (
        _CAPTIONER,
        lambda: b'event: delta\ndata: {"part":"caption","text":"x"}\n\n' * 100_000,
        503,
        "broke off",
    ),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ROWS.items()])
def test_no_answer_holds_the_event_loop_up(
    measured: MeasuredService, captioner: ScriptedServer, reasoner: ScriptedServer, row: Row
) -> None:
    reasoner.script.fixed["/v1/chat/completions"] = row.answer()
    measured.clear()
    asked = {"messages": [{"role": "user", "content": "What?"}], "stream": row.stream}
    answer = http.post(f"{measured.url}/v1/chat/completions", json=asked)
    _check(measured, answer, row.status, row.says)


@pytest.mark.parametrize(
    ("path", "events", "status", "says"),
    [pytest.param(*row, id=name) for name, row in EVENTS.items()],
)
def test_no_event_holds_the_event_loop_up(
    measured: MeasuredService, captioner: ScriptedServer, reasoner: ScriptedServer,
    path: str, events: Callable[[], bytes], status: int, says: str,
) -> None:  # fmt: skip
    server = reasoner if path == _REASONER else captioner
    server.script.fixed[path] = Fixed(body=events(), media_type=_EVENTS)
    measured.clear()
    asked = {"question": "What?", "images": [data_url(png())], "cache": "bypass"}
    answer = http.post(f"{measured.url}/v1/solve", json=asked)
    _check(measured, answer, status, says)


def _check(measured: MeasuredService, answer: httpx2.Response, status: int, says: str) -> None:
    assert http.get(f"{measured.url}/healthz").status_code == 200
    found = measured.stretches()
    # For information: where the machine is busy, all but the first tell about the machine, too.
    print(  # noqa: T201
        f"{answer.status_code}: loop {found.cpu_s * 1000:.0f} ms,"
        f" by the clock {found.wall_s * 1000:.0f} ms, process {found.process_cpu_s:.2f} s,"
        f" {measured.peak_mib():.0f} MiB; {answer.text[:120]}"
    )
    assert (answer.status_code, says in answer.text) == (status, True)
    assert found.cpu_s <= _LONGEST_S

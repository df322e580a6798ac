"""Whatever a request has in it, the captioner's event loop computes 50 ms at most at a stretch."""

from collections.abc import Callable, Iterator

import pytest

from support import http
from support.loop_cpu import MeasuredService

_LONGEST_S = 0.05


def asking(images: str = '"x"', more: str = "") -> bytes:
    return f'{{"question": "What?", "images": [{images}]{more}}}'.encode()


ROWS = {
    "empty-images": (lambda: asking(",".join(['""'] * 4_000_000)), "max_images = 20"),
    "numbers": (lambda: asking(",".join("1" * 1_000_000)), "max_images = 20"),
    "fields": (
        lambda: asking(more="".join(f',"name{number}":1' for number in range(300_000))),
        "more fields than 128",
    ),
    "parts": (
        lambda: asking(more=',"parts":[' + '"caption",' * 1_000_000 + '"caption"]'),
        "parts: more than 128",
    ),
    "no-base64": (
        lambda: asking('"data:image/png;base64,' + "*" * 60_000_000 + '"'),
        "not valid base64",
    ),
}


@pytest.fixture(scope="module")
def measured() -> Iterator[MeasuredService]:
    with MeasuredService("services.captioner") as service:
        yield service


@pytest.mark.parametrize(
    ("body", "says"), [pytest.param(*row, id=name) for name, row in ROWS.items()]
)
def test_no_request_holds_the_event_loop_up(
    measured: MeasuredService, body: Callable[[], bytes], says: str
) -> None:
    sent = body()
    measured.clear()
    answer = http.post(f"{measured.url}/v1/perceive", content=sent)
    assert http.get(f"{measured.url}/healthz").status_code == 200
    found = measured.stretches()
    print(  # noqa: T201
        f"{answer.status_code}: loop {found.cpu_s * 1000:.0f} ms,"
        f" by the clock {found.wall_s * 1000:.0f} ms, {measured.peak_mib():.0f} MiB"
    )
    assert (answer.status_code, says in answer.text) == (400, True)
    assert found.cpu_s <= _LONGEST_S

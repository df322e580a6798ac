"""Whatever pictures a request has, the captioner keeps its memory and answers the next one.

Each row is sent to the real captioner of the embedded default, some through a real gateway too.
What is right is always one of `_ANSWERS`; where only one of them is, the row says so.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import gateway_config
from support import http
from support.bombs.other_files import UNSUPPORTED
from support.bombs.rows import DAMAGED_FILES, ROWS
from support.diagrams import noise
from support.pictures import data_url, encoded, text_picture
from support.process_tree import PeakMemory
from support.processes import Service
from support.scripted import ScriptedServer

_ANSWERS = {200, 400, 413, 415, 503}
# Of the service and its workers together, as compose and the chart have it.
_MOST_MIB = 2048
# Each takes as long as an image may be read, or several workers; one of the kind is always tried.
_LONG = {
    "words-apart",
    "dashes",
    "pdf-blended",
    "pdf-forms-of-forms",
    "pdf-drawing-itself",
    "pdf-600000-objects",
    "tiff-large-tile",
    "tiff-one-strip-16-bit-24mp",
    "bmp-runs-of-one",
    "avif-25mp-rgba",
    "jp2-62500-tiles",
}
_QUESTION = "What is the number?"
_NUMBER = "4827"
# Each within the limits of one picture.
_AT_ONCE = (
    "png-50mp",
    "png-1-by-50000000",
    "png-16-bit-rgba-25mp",
    "webp-lossless-49mp",
    "webp-animated-49mp",
    "gif-flat-49mp",
    "jpeg-progressive-65500-by-700",
    "jpeg-cmyk-30mp",
)


@pytest.fixture(scope="module")
def bombed() -> Iterator[Service]:
    """A captioner of the embedded default that serves nothing else."""
    with Service("services.captioner") as service:
        yield service


@pytest.fixture(scope="module")
def gateway_to_bombed(bombed: Service, _scripted_reasoner: ScriptedServer) -> Iterator[Service]:
    with Service("gateway", gateway_config(bombed.url, _scripted_reasoner.url)) as service:
        yield service


@pytest.fixture(autouse=True)
def still_serves(bombed: Service) -> Iterator[None]:
    """After each row: the memory was kept, and the service answers what is asked next."""
    if bombed.process.poll() is not None:
        # The row before took more than the machine has for it.
        bombed.restart({})
    with PeakMemory(bombed.pid) as peak:
        yield
    print(f"{peak.mib:.0f} MiB")  # noqa: T201
    assert peak.mib <= _MOST_MIB
    assert http.get(f"{bombed.url}/healthz").status_code == 200
    answer = _perceive(bombed, [encoded(text_picture(_NUMBER))])
    assert answer.status_code == 200, answer.text
    assert _NUMBER in answer.json()["caption"][0]["text"]


def _perceive(captioner: Service, pictures: Sequence[bytes]) -> httpx2.Response:
    body = {"question": _QUESTION, "images": list(map(data_url, pictures))}
    return http.post(f"{captioner.url}/v1/perceive", json=body)


def _assert_right(answer: httpx2.Response, statuses: Collection[int]) -> None:
    assert answer.status_code in statuses, answer.text
    assert answer.status_code != 503 or int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] if name in _LONG else []) for name in ROWS],
)
def test_a_bomb_is_answered_within_the_memory(bombed: Service, name: str) -> None:
    row = ROWS[name]
    _assert_right(_perceive(bombed, row.pictures()), row.statuses)


def test_bombs_at_the_same_time_are_answered_within_the_memory(bombed: Service) -> None:
    rows = [ROWS[name] for name in _AT_ONCE]
    pictures = [row.pictures() for row in rows]
    with ThreadPoolExecutor(len(rows)) as clients:
        answers = list(clients.map(partial(_perceive, bombed), pictures))
    for row, answer in zip(rows, answers, strict=True):
        _assert_right(answer, row.statuses)


def _solve(gateway: Service, pictures: Sequence[bytes]) -> httpx2.Response:
    body = {"question": _QUESTION, "images": list(map(data_url, pictures))}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def _chat(gateway: Service, pictures: Sequence[bytes]) -> httpx2.Response:
    images = [{"type": "image_url", "image_url": {"url": data_url(one)}} for one in pictures]
    content = [{"type": "text", "text": _QUESTION}, *images]
    body = {"model": "default", "messages": [{"role": "user", "content": content}]}
    return http.post(f"{gateway.url}/v1/chat/completions", json=body)


# The gateway reads headers alone: here is what they tell, and what they hide.
_SOLVED = (
    "png-50mp-16-times",
    "png-1-by-50000000",
    "png-many-inflating-texts",
    "webp-lossless-header-16383",
    "webp-animated-49mp",
    "gif-frame-65535",
    "jpeg-100000-segments",
    "jpeg-16-photographs-20mp",
    "jpeg-orientations",
    "tiff-100000-pages",
    "avif-endless-boxes",
)
_CHATTED = (
    "png-65535",
    "png-inflating",
    "webp-lossless-49mp-16-times",
    "webp-canvas-16384",
    "gif-screen-65535",
    "gif-frame-49mp",
    "jpeg-65500",
    "bmp-65535",
    "ico-65535-images",
    "noise-16mp",
)


@pytest.mark.parametrize(
    ("ask", "name"),
    [*((_solve, name) for name in _SOLVED), *((_chat, name) for name in _CHATTED)],
)
def test_a_bomb_through_the_gateway_is_answered_within_the_memory(
    gateway_to_bombed: Service,
    ask: Callable[[Service, Sequence[bytes]], httpx2.Response],
    name: str,
) -> None:
    row = ROWS[name]
    _assert_right(ask(gateway_to_bombed, row.pictures()), row.statuses)
    assert http.get(f"{gateway_to_bombed.url}/healthz").status_code == 200


@pytest.mark.parametrize("make", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_the_gateway_takes_no_other_format(
    gateway_to_bombed: Service, make: Callable[[], bytes]
) -> None:
    assert _solve(gateway_to_bombed, [make()]).status_code == 415


@pytest.mark.parametrize("make", DAMAGED_FILES.values(), ids=DAMAGED_FILES)
def test_a_damaged_file_is_named(bombed: Service, make: Callable[[], Sequence[bytes]]) -> None:
    answers = [_perceive(bombed, [picture]) for picture in make()]
    assert answers
    assert [answer.status_code for answer in answers] == [400] * len(answers)
    assert all(answer.json()["error"]["param"] == "images[0]" for answer in answers)


def test_base64_that_is_none_is_named(bombed: Service) -> None:
    image = "data:image/png;base64," + "?" * 20_000_000
    answer = http.post(f"{bombed.url}/v1/perceive", json={"question": "?", "images": [image]})
    assert answer.status_code == 400
    assert "not valid base64" in answer.text


_flips = st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), max_size=4)


@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(flips=_flips, kept=st.floats(0.2, 1))
@pytest.mark.parametrize(
    "form", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "ICO", "JPEG2000", "PDF"]
)
def test_a_file_damaged_at_random_is_answered(
    bombed: Service, form: str, flips: list[tuple[int, int]], kept: float
) -> None:
    damaged = bytearray(noise(2, form))
    for at, bits in flips:
        damaged[at % len(damaged)] ^= bits
    answer = _perceive(bombed, [bytes(damaged[: round(kept * len(damaged))])])
    _assert_right(answer, _ANSWERS)

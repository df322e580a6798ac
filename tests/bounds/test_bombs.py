"""Whatever pictures a request has, the captioner keeps its memory and answers the next one.

Each row is sent to the real captioner of the embedded default, some through a real gateway too. An
answer of `_ANSWERS` is right; where only one of them is, the row says so.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import gateway_config
from support import http
from support.bombs import (
    drawings,
    gif_files,
    jpeg_files,
    other_files,
    png_files,
    webp_files,
)
from support.diagrams import noise
from support.pictures import data_url, encoded, text_picture
from support.process_tree import PeakMemory
from support.processes import Service
from support.scripted import ScriptedServer

_ANSWERS = {200, 400, 413, 415, 503}
_DAMAGED = {400}
_TOO_LARGE = {413}
# Of the service and its workers together, as compose and the chart have it.
_MOST_MIB = 2048
_MIB = 2**20
_QUESTION = "What is the number?"
_NUMBER = "4827"


class Row(NamedTuple):
    """The pictures of one request, made when they are needed, and the statuses that are right."""

    pictures: Callable[[], Sequence[bytes]]
    statuses: set[int] = _ANSWERS


def _one(
    make: Callable[..., bytes], *of: object, right: set[int] = _ANSWERS, **more: object
) -> Row:
    return Row(lambda: [make(*of, **more)], right)


_PNG = {
    "png-50mp": _one(png_files.black, 8_000, 6_250),
    "png-50mp-16-times": Row(lambda: [png_files.black(8_000, 6_250)] * 16),
    "png-65535": _one(png_files.declaring, 65_535, 65_535, right=_TOO_LARGE),
    "png-2147483647": _one(png_files.declaring, 2**31 - 1, 2**31 - 1, right=_TOO_LARGE),
    "png-4294967295": _one(png_files.declaring, 2**32 - 1, 1),
    "png-0-by-0": _one(png_files.black, 0, 0, right=_DAMAGED),
    "png-1-by-50000000": _one(png_files.black, 1, 50_000_000, color=png_files.GRAY),
    "png-50000000-by-1": _one(png_files.black, 50_000_000, 1, color=png_files.GRAY),
    "png-1-by-5000": _one(png_files.black, 1, 5_000),
    "png-inflating": _one(png_files.inflating, 500 * _MIB),
    "png-many-texts": _one(
        lambda: png_files.black(8, 8, more=png_files.chunk(b"tEXt", b"a\0b") * 100_000)
    ),
    "png-huge-text": _one(
        lambda: png_files.black(8, 8, more=png_files.chunk(b"tEXt", b"a\0" + bytes(20 * _MIB)))
    ),
    "png-inflating-text": _one(
        lambda: png_files.black(8, 8, more=png_files.compressed_text(1_000 * _MIB))
    ),
    "png-many-inflating-texts": _one(
        lambda: png_files.black(8, 8, more=png_files.compressed_text(_MIB) * 1_000)
    ),
    "png-inflating-utf8": _one(
        lambda: png_files.black(8, 8, more=png_files.compressed_utf8_text(1_000 * _MIB))
    ),
    "png-many-inflating-utf8": _one(
        lambda: png_files.black(8, 8, more=png_files.compressed_utf8_text(_MIB) * 1_000)
    ),
    "png-inflating-profile": _one(
        lambda: png_files.black(8, 8, more=png_files.color_profile(1_000 * _MIB))
    ),
    "png-5000-frames": _one(png_files.animated, 8, 8, frames=5_000),
    "png-interlaced-49mp": _one(
        png_files.black, 7_000, 7_000, color=png_files.GRAY, interlaced=True
    ),
    "png-16-bit-rgba-25mp": _one(png_files.black, 5_000, 5_000, depth=16, color=png_files.RGBA),
    "png-transparent-palette-40mp": _one(
        png_files.black, 6_400, 6_250, color=png_files.PALETTE, more=png_files.palette()
    ),
    "png-1-bit-49mp": _one(png_files.black, 7_000, 7_000, depth=1, color=png_files.GRAY),
    "png-16-bit-gray-49mp": _one(png_files.black, 7_000, 7_000, depth=16, color=png_files.GRAY),
    "png-wrong-header-checksum": _one(png_files.with_wrong_checksum, b"IHDR", right=_DAMAGED),
    "png-wrong-pixel-checksum": _one(png_files.with_wrong_checksum, b"IDAT"),
    "png-without-pixels": _one(png_files.without_pixels, right=_DAMAGED),
}
_WEBP = {
    "webp-lossless-header-16383": _one(
        webp_files.lossless_header, 16_383, 16_383, right=_TOO_LARGE
    ),
    "webp-lossless-header-49mp": _one(webp_files.lossless_header, 7_000, 7_000),
    "webp-lossless-49mp": _one(webp_files.lossless, 7_000, 7_000),
    "webp-lossless-49mp-16-times": Row(lambda: [webp_files.lossless(7_000, 7_000)] * 16),
    "webp-lossy-header-16383": _one(webp_files.lossy_header, 16_383, 16_383, right=_TOO_LARGE),
    "webp-lossy-header-49mp": _one(webp_files.lossy_header, 7_000, 7_000),
    "webp-canvas-16384": _one(webp_files.small_on_canvas, 16_384, 16_384),
    "webp-canvas-2-24": _one(webp_files.small_on_canvas, 2**24, 2),
    "webp-canvas-49mp": _one(webp_files.small_on_canvas, 7_000, 7_000),
    "webp-5000-frames": _one(webp_files.animated, 16, 16, frames=5_000),
    "webp-animated-49mp": _one(webp_files.animated, 7_000, 7_000, frames=1_000),
    "webp-animated-16383": _one(webp_files.animated, 16_383, 16_383, frames=2, right=_TOO_LARGE),
    "webp-1-by-16383": _one(webp_files.lossless, 1, 16_383),
}
_GIF = {
    "gif-screen-65535": _one(gif_files.frame_on_screen, (1, 1), (65_535, 65_535), right=_TOO_LARGE),
    "gif-screen-49mp": _one(gif_files.frame_on_screen, (1, 1), (7_000, 7_000)),
    "gif-frame-65535": _one(gif_files.frame_on_screen, (65_535, 65_535), (1, 1)),
    "gif-frame-49mp": _one(gif_files.frame_on_screen, (7_000, 7_000), (1, 1)),
    "gif-flat-49mp": _one(gif_files.flat, 7_000, 7_000),
    "gif-50000-frames": _one(gif_files.frame_on_screen, (1, 1), (8, 8), frames=50_000),
    "gif-no-screen": _one(gif_files.frame_on_screen, (0, 0), (0, 0)),
    "gif-frame-0-by-0": _one(gif_files.frame_on_screen, (0, 0), (8, 8)),
    "gif-before-png": _one(gif_files.before_png),
}
_JPEG = {
    "jpeg-65500": _one(jpeg_files.declaring, 65_500, 65_500, right=_TOO_LARGE),
    "jpeg-declaring-49mp": _one(jpeg_files.declaring, 7_000, 7_000),
    "jpeg-progressive-65500-by-700": _one(jpeg_files.flat, 65_500, 700, progressive=True),
    "jpeg-5000-scans": _one(jpeg_files.with_scans, 4_000, 4_000, scans=5_000),
    "jpeg-cmyk-30mp": _one(jpeg_files.flat, 6_000, 5_000, "CMYK"),
    "jpeg-ycck-30mp": _one(jpeg_files.luminance_and_black, 6_000, 5_000),
    "jpeg-arithmetic": _one(jpeg_files.arithmetic),
    "jpeg-orientations": Row(
        lambda: [jpeg_files.oriented(number) for number in (*range(13), 99, 256, 65_535)]
    ),
    "jpeg-huge-exif": _one(jpeg_files.with_huge_directory),
    "jpeg-cyclic-exif": _one(jpeg_files.with_cyclic_directory),
    "jpeg-1000-pictures": _one(jpeg_files.many_pictures, 1_000),
    "jpeg-declaring-pictures": _one(jpeg_files.many_declared_pictures),
    "jpeg-100000-segments": _one(jpeg_files.many_segments, 100_000),
    "jpeg-16-mb-profile": _one(jpeg_files.with_color_profile),
    "jpeg-16-photographs-20mp": Row(lambda: jpeg_files.photographs(16, 5_000, 4_000)),
}
_DRAWINGS = {
    "text-16mp-12": _one(drawings.dense_text, 4_000, font_size=12),
    "text-16mp-24": _one(drawings.dense_text, 4_000, font_size=24),
    "text-4mp-8": _one(drawings.dense_text, 2_000, font_size=8),
    "noise-16mp": _one(drawings.noise, 4_000),
    "checkerboard-16mp": _one(drawings.checkerboard, 4_000),
    "dashes": _one(drawings.dashes, 2_000, length=25, every=20),
    "dots": _one(drawings.dashes, 2_000, length=5, every=10),
    "strip-1-to-8": _one(drawings.strip, 800, 100),
    "strip-1-to-200": _one(drawings.strip, 20, 4_000),
    "strip-1-to-1000": _one(drawings.strip, 10_000, 10),
}
_OTHERS = {
    **{name: _one(make, right=_DAMAGED) for name, make in other_files.UNSUPPORTED.items()},
    "empty": _one(bytes, right=_DAMAGED),
    "20-mb-of-zeros": _one(bytes, 20 * _MIB, right=_DAMAGED),
}
ROWS = _PNG | _WEBP | _GIF | _JPEG | _DRAWINGS | _OTHERS
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
)
_CHATTED = (
    "png-65535",
    "png-inflating",
    "webp-lossless-49mp-16-times",
    "webp-canvas-16384",
    "gif-screen-65535",
    "gif-frame-49mp",
    "jpeg-65500",
    "text-16mp-24",
)
_DAMAGED_FILES = {
    "png-cut-short": png_files.cut_short,
    "gif-cut-short": gif_files.cut_short,
    "jpeg-cut-short": jpeg_files.cut_short,
    "jpeg-damaged-tables": jpeg_files.damaged_tables,
    "webp-cut-short": webp_files.cut_short,
}


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


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_bomb_is_answered_within_the_memory(bombed: Service, row: Row) -> None:
    answer = _perceive(bombed, row.pictures())
    assert answer.status_code in row.statuses, answer.text


def _solve(gateway: Service, pictures: Sequence[bytes]) -> httpx2.Response:
    body = {"question": _QUESTION, "images": list(map(data_url, pictures))}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def _chat(gateway: Service, pictures: Sequence[bytes]) -> httpx2.Response:
    images = [{"type": "image_url", "image_url": {"url": data_url(one)}} for one in pictures]
    content = [{"type": "text", "text": _QUESTION}, *images]
    body = {"model": "default", "messages": [{"role": "user", "content": content}]}
    return http.post(f"{gateway.url}/v1/chat/completions", json=body)


@pytest.mark.parametrize("name", _SOLVED)
def test_a_bomb_to_solve_is_answered_within_the_memory(
    gateway_to_bombed: Service, name: str
) -> None:
    _check_through_gateway(gateway_to_bombed, _solve, ROWS[name])


@pytest.mark.parametrize("name", _CHATTED)
def test_a_bomb_in_a_chat_is_answered_within_the_memory(
    gateway_to_bombed: Service, name: str
) -> None:
    _check_through_gateway(gateway_to_bombed, _chat, ROWS[name])


def _check_through_gateway(
    gateway: Service, ask: Callable[[Service, Sequence[bytes]], httpx2.Response], row: Row
) -> None:
    answer = ask(gateway, row.pictures())
    assert answer.status_code in row.statuses, answer.text
    assert http.get(f"{gateway.url}/healthz").status_code == 200


@pytest.mark.parametrize("make", other_files.UNSUPPORTED.values(), ids=other_files.UNSUPPORTED)
def test_the_gateway_takes_no_other_format(
    gateway_to_bombed: Service, make: Callable[[], bytes]
) -> None:
    assert _solve(gateway_to_bombed, [make()]).status_code == 415


@pytest.mark.parametrize("make", _DAMAGED_FILES.values(), ids=_DAMAGED_FILES)
def test_a_damaged_file_is_named(bombed: Service, make: Callable[[], Sequence[bytes]]) -> None:
    answers = [_perceive(bombed, [picture]) for picture in make()]
    assert answers
    assert [answer.status_code for answer in answers] == [400] * len(answers)
    assert all(answer.json()["error"]["param"] == "images[0]" for answer in answers)


def test_base64_that_is_none_is_named(bombed: Service) -> None:
    image = "data:image/png;base64," + "?" * (20 * _MIB)
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
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_file_damaged_at_random_is_answered(
    bombed: Service, form: str, flips: list[tuple[int, int]], kept: float
) -> None:
    damaged = bytearray(noise(2, form))
    for at, bits in flips:
        damaged[at % len(damaged)] ^= bits
    answer = _perceive(bombed, [bytes(damaged[: round(kept * len(damaged))])])
    assert answer.status_code in _ANSWERS, answer.text

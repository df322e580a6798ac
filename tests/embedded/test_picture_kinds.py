"""Every kind of picture that people have, through the real captioner and the embedded stack."""

import json
import re
import struct
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import psutil
import pytest
from PIL import Image

from support import http
from support.pictures import data_url, declaring, encoded, png, text_picture, webp_declaring
from support.processes import Service
from support.stranger_files.text_files import OTHER, TEXT, TEXT_FILES

NO_TEXT = "No readable text was found in the image."


def perceive(captioner: Service, *images: str, **more: Any) -> httpx2.Response:
    body = {"question": "What does it say?", "images": images, **more}
    return http.post(f"{captioner.url}/v1/perceive", json=body)


def caption(captioner: Service, image: bytes) -> str:
    answer = perceive(captioner, data_url(image))
    assert answer.status_code == 200, answer.text
    return answer.json()["caption"][0]["text"]


def solve(gateway: Service, image: bytes, question: str = "What does it say?") -> httpx2.Response:
    body = {"question": question, "images": [data_url(image)]}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def assert_error(answer: httpx2.Response, status: int, code: str, says: str, param: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert says in error["message"]
    assert not re.search(r"0x[0-9a-f]{6}|object at|Traceback", error["message"])


# Pictures that must be read.


@pytest.mark.parametrize("make", TEXT_FILES.values(), ids=TEXT_FILES)
def test_its_text_is_read(ocr_captioner: Service, make: Callable[[], bytes]) -> None:
    read = caption(ocr_captioner, make())
    assert TEXT in read
    assert OTHER not in read


ORIENTATION = 0x112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def turned(orientation: int, *, tagged: bool = True) -> bytes:
    """Two lines of text as a camera stores them that was held in this orientation."""
    upright = text_picture("HEAD\nTAIL", size=(320, 160))
    exif = Image.Exif()
    if tagged:
        exif[ORIENTATION] = orientation
    return encoded(upright.transpose(TURNS[orientation]), "JPEG", exif=exif)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_turned_picture_is_read_upright(ocr_captioner: Service, orientation: int) -> None:
    assert "HEAD\nTAIL" in caption(ocr_captioner, turned(orientation))


def test_a_turned_picture_is_not_read_upright_by_accident(ocr_captioner: Service) -> None:
    assert "HEAD\nTAIL" not in caption(ocr_captioner, turned(6, tagged=False))


def test_broken_exif_data_does_not_spoil_a_picture(ocr_captioner: Service) -> None:
    broken = encoded(text_picture(TEXT), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    assert TEXT in caption(ocr_captioner, broken)


def test_one_pixel_has_no_text(ocr_captioner: Service) -> None:
    assert caption(ocr_captioner, encoded(Image.new("RGB", (1, 1)))) == NO_TEXT


@pytest.fixture(scope="module")
def confined_captioner() -> Iterator[Service]:
    """It may take 4 GiB of address space, twice what it needs: it must not take the machine."""
    with Service("services.captioner") as service:
        psutil.Process(service.pid).rlimit(psutil.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
        yield service
        # One that is lost in a picture would not end for being asked.
        service.process.kill()


@pytest.mark.parametrize(
    "size",
    [(1, 200), (200, 1), (25, 5000), (5000, 25), (30, 2000)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def test_a_thin_picture_costs_no_more_than_others(
    confined_captioner: Service, size: tuple[int, int]
) -> None:
    """Readers enlarge the short side: of 25x5000 that can make hundreds of megapixels."""
    assert caption(confined_captioner, encoded(Image.new("RGB", size))) == NO_TEXT
    assert psutil.Process(confined_captioner.pid).memory_info().rss < 2 * 2**30


def test_several_pictures_are_told_apart(ocr_captioner: Service) -> None:
    answer = perceive(ocr_captioner, data_url(png(TEXT)), data_url(png(OTHER)))
    first, second = answer.json()["caption"][0]["text"].split("Image 2:")
    assert first.startswith("Image 1:")
    assert TEXT in first
    assert OTHER in second


@pytest.mark.parametrize("kind", ["png-grey-16-bit", "jpeg-cmyk", "webp-animated", "pdf"])
def test_it_goes_through_the_whole_stack(embedded_gateway: Service, kind: str) -> None:
    answer = solve(embedded_gateway, TEXT_FILES[kind]())
    assert answer.status_code == 200, answer.text
    assert TEXT in answer.json()["visual_context"]["caption"]


# Pictures that must be refused.


def gif_frame_beyond_its_screen() -> bytes:
    """The screen is 320x120, the frame on it declares 60000x60000."""
    gif = bytearray(encoded(text_picture(TEXT, mode="P"), "GIF"))
    frame = gif.index(b"\x2c\0\0\0\0" + struct.pack("<HH", 320, 120))
    gif[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    return bytes(gif)


def keep(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


BROKEN: dict[str, bytes] = {
    "png-cut-in-pixels": keep(png(TEXT), 0.6),
    "png-cut-at-the-end": keep(png(TEXT), 0.95),
    "png-damaged-pixels": png(TEXT).replace(b"IDAT", b"IDAT\xff\xff\xff"),
    "jpeg-cut": keep(encoded(text_picture(TEXT), "JPEG"), 0.6),
    "gif-cut": keep(encoded(text_picture(TEXT, mode="P"), "GIF"), 0.6),
    "webp-cut": keep(encoded(text_picture(TEXT), "WEBP"), 0.6),
    "garbage-after-png-header": png()[:33] + b"garbage" * 100,
    "garbage-after-png-magic": png()[:8] + b"garbage" * 100,
    "garbage-after-jpeg-magic": b"\xff\xd8\xff" + b"garbage" * 100,
    "garbage-after-gif-magic": b"GIF89a" + b"\x10\0" * 300,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_picture_is_refused_and_not_kept(embedded_gateway: Service, data: bytes) -> None:
    def written() -> float:
        return embedded_gateway.metrics().get('racro_cache_bytes_total{way="written"}', 0)

    before = written()
    for _ in range(2):
        assert_error(solve(embedded_gateway, data), 400, "invalid_image", "image", "images[0]")
    assert written() == before


def test_all_services_serve_after_broken_pictures(embedded_gateway: Service) -> None:
    for data in BROKEN.values():
        solve(embedded_gateway, data)
    answer = solve(embedded_gateway, png(TEXT), f"What does it say? {uuid.uuid4()}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["visual_context"]["cache"] == "miss"
    assert TEXT in answer.json()["visual_context"]["caption"]


@pytest.mark.parametrize(
    ("image", "status", "code", "says"),
    [
        (data_url(declaring(60_000, 60_000)), 413, "too_large", "max_image_pixels"),
        (data_url(declaring(10_000, 10_000)), 413, "too_large", "max_image_pixels = 50331648"),
        (data_url(gif_frame_beyond_its_screen()), 413, "too_large", "max_image_pixels"),
        ("data:image/png;base64,@@@@", 400, "invalid_image", "base64"),
        ("data:image/png,hello", 400, "invalid_image", "base64"),
        ("data:image/png;base64", 400, "invalid_image", "base64"),
        ("http://127.0.0.1/image.png", 400, "invalid_image", "data URL"),
        ("/etc/passwd", 400, "invalid_image", "data URL"),
        (data_url(b""), 400, "invalid_image", "image"),
        (data_url(b"hello"), 415, "unsupported_media_type", "PNG"),
        (data_url(encoded(text_picture(TEXT), "PPM")), 415, "unsupported_media_type", "PNG"),
        (data_url(webp_declaring(16_383, 16_383)), 413, "too_large", "max_image_pixels"),
        (data_url(webp_declaring(6000, 5000)), 413, "too_large", "half of max_image_pixels"),
        (data_url(declaring(40_000, 1000)), 413, "too_large", "max_image_side = 32768"),
        (data_url(declaring(201, 1)), 400, "invalid_image", "max_image_aspect = 200"),
        (data_url(png() + bytes(21 * 2**20)), 413, "too_large", "max_image_bytes = 20971520"),
    ],
    ids=[
        *("60000x60000", "10000x10000", "gif-frame", "bad-base64", "not-base64", "no-comma"),
        *("url", "path", "0-bytes", "text", "netpbm"),
        *("34-bytes-of-webp", "large-webp", "long-side", "thin", "21-mb"),
    ],
)
def test_the_captioner_guards_itself(
    ocr_captioner: Service, image: str, status: int, code: str, says: str
) -> None:
    answer = perceive(ocr_captioner, data_url(png()), image)
    assert_error(answer, status, code, says, "images[1]")


@pytest.mark.parametrize("image", [declaring(7000, 7000), webp_declaring(5000, 5000)])
def test_the_captioner_counts_the_pixels_of_all_images(
    ocr_captioner: Service, image: bytes
) -> None:
    """Copies of an image, too: each is decoded."""
    answer = perceive(ocr_captioner, *[data_url(image)] * 9)
    assert_error(answer, 413, "too_large", "max_request_pixels = 200000000", "images")


# The captioner's contract.


@pytest.mark.parametrize(
    ("more", "param", "says"),
    [
        ({"images": []}, "images", "images"),
        ({"images": [data_url(png())] * 21}, "images", "max_images = 20"),
        ({"colour": "red"}, "colour", "colour"),
        ({"parts": []}, "parts", "parts"),
        ({"parts": ["poem"]}, "parts[0]", "'caption'"),
        ({"question": ""}, "question", "question"),
        ({"options": {"n": 17}}, "options.n", "16"),
        ({"options": {"max_tokens": 0}}, "options.max_tokens", "options.max_tokens"),
        ({"options": {"top_k": 5}}, "options.top_k", "options.top_k"),
    ],
    ids=[
        "no-image",
        "21-images",
        "colour",
        "no-part",
        "poem",
        "no-question",
        "n",
        "tokens",
        "top_k",
    ],
)
def test_a_bad_request_names_its_field(
    ocr_captioner: Service, more: dict[str, Any], param: str, says: str
) -> None:
    body = {"question": "q", "images": [data_url(png())], **more}
    answer = http.post(f"{ocr_captioner.url}/v1/perceive", json=body)
    assert_error(answer, 400, "invalid_request", says, param)


def test_two_captions_are_equal(ocr_captioner: Service) -> None:
    answer = perceive(ocr_captioner, data_url(png(TEXT)), options={"n": 2})
    first, second = answer.json()["caption"]
    assert TEXT in first["text"]
    assert first == second


def test_a_stream_has_deltas_then_done(ocr_captioner: Service) -> None:
    answer = perceive(ocr_captioner, data_url(png(TEXT)), options={"n": 2}, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [
        (name.removeprefix("event: "), json.loads(data))
        for name, data in (
            block.split("\ndata: ", 1)
            for block in answer.text.strip().split("\n\n")
            if block.startswith("event: ")
        )
    ]
    assert [name for name, _ in events] == ["delta", "delta", "done"]
    *deltas, (_, done) = events
    assert [(delta["part"], delta["index"]) for _, delta in deltas] == [
        ("caption", 0),
        ("caption", 1),
    ]
    assert [delta["text"] for _, delta in deltas] == [one["text"] for one in done["caption"]]
    assert TEXT in done["caption"][0]["text"]

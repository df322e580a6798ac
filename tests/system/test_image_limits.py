"""Images of any size at every door: what is refused names field and limit, and nothing is decoded.

The gateway tells by the headers; the captioner behind it is scripted, and is not asked.
"""

import uuid
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from support import http
from support.pictures import (
    data_url,
    declaring,
    gif_declaring,
    jpeg_declaring,
    png,
    webp_declaring,
)
from support.processes import Service
from support.scripted import ScriptedServer

Ask = Callable[[Service, list[bytes]], httpx2.Response]


def solve(gateway: Service, images: list[bytes], **more) -> httpx2.Response:
    body = {"question": uuid.uuid4().hex, "images": [data_url(image) for image in images], **more}
    return http.post(f"{gateway.url}/v1/solve", json=body)


def solve_streamed(gateway: Service, images: list[bytes]) -> httpx2.Response:
    return solve(gateway, images, stream=True)


def solve_form(gateway: Service, images: list[bytes]) -> httpx2.Response:
    files = [("image", ("image", image)) for image in images]
    data = {"question": uuid.uuid4().hex}
    return http.post(f"{gateway.url}/v1/solve", data=data, files=files)


def chat(gateway: Service, images: list[bytes], **more) -> httpx2.Response:
    parts = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in images]
    content = [*parts, {"type": "text", "text": uuid.uuid4().hex}]
    body = {"model": "default", "messages": [{"role": "user", "content": content}], **more}
    return http.post(f"{gateway.url}/v1/chat/completions", json=body)


def chat_streamed(gateway: Service, images: list[bytes]) -> httpx2.Response:
    return chat(gateway, images, stream=True)


def visual_context(gateway: Service, images: list[bytes]) -> httpx2.Response:
    body = {"question": uuid.uuid4().hex, "images": [data_url(image) for image in images]}
    return http.post(f"{gateway.url}/v1/visual-contexts", json=body)


# With the field of all images, and of the second one.
DOORS: dict[str, tuple[Ask, str, str]] = {
    "solve": (solve, "images", "images[1]"),
    "solve-streamed": (solve_streamed, "images", "images[1]"),
    "form": (solve_form, "image", "image[1]"),
    "chat": (chat, "messages", "messages[0].content[1].image_url"),
    "chat-streamed": (chat_streamed, "messages", "messages[0].content[1].image_url"),
    "visual-context": (visual_context, "images", "images[1]"),
}
GIANTS = {
    "png": (declaring(60_000, 60_000), 413, "too_large", "max_image_pixels = 50331648"),
    "jpeg": (jpeg_declaring(10_000, 5034), 413, "too_large", "max_image_pixels = 50331648"),
    "gif": (gif_declaring(32_000, 32_000), 413, "too_large", "max_image_pixels = 50331648"),
    "34-bytes-of-webp": (
        webp_declaring(16_384, 16_384), 413, "too_large", "max_image_pixels = 50331648",
    ),
    "large-webp": (
        webp_declaring(6000, 5000), 413, "too_large", "half of max_image_pixels = 50331648",
    ),
    "long": (declaring(32_769, 1000), 413, "too_large", "max_image_side = 32768"),
    "tall": (jpeg_declaring(1000, 32_769), 413, "too_large", "max_image_side = 32768"),
    "thin": (declaring(1, 32_768), 400, "invalid_image", "max_image_aspect = 200"),
    "flat": (gif_declaring(30_000, 149), 400, "invalid_image", "max_image_aspect = 200"),
    "50-million-by-1": (declaring(50_000_000, 1), 413, "too_large", "max_image_side = 32768"),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "_all", "param"), DOORS.values(), ids=DOORS)
@pytest.mark.parametrize(("image", "status", "code", "says"), GIANTS.values(), ids=GIANTS)
def test_a_giant_is_refused_at_every_door(
    gateway: Service, captioner: ScriptedServer, ask: Ask, _all, param, image, status, code, says
) -> None:
    answer = ask(gateway, [png(), image])
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert says in error["message"]
    assert captioner.perceptions == []


@pytest.mark.parametrize(("ask", "param", "_one"), DOORS.values(), ids=DOORS)
def test_the_pixels_of_a_request_are_bounded_at_every_door(
    gateway: Service, captioner: ScriptedServer, ask: Ask, param, _one
) -> None:
    large = declaring(7000, 7000)
    answer = ask(
        gateway,
        [large, *(declaring(7000, 7000 + more) for more in range(1, 4)), declaring(2000, 2000)],
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (413, "too_large", param)
    assert "200042000 pixels together; max_request_pixels = 200000000" in error["message"]
    assert captioner.perceptions == []
    # Copies count: the captioner would decode each.
    assert ask(gateway, [large] * 5).status_code == 413
    assert ask(gateway, [large] * 4).status_code == 200


def test_the_images_of_each_message_count_apart(
    gateway: Service, captioner: ScriptedServer
) -> None:
    """A conversation with photographs may go on: those of earlier turns are captioned already."""
    messages: list[dict[str, Any]] = []
    for more in range(6):
        url = data_url(declaring(7000, 7000 + more))
        parts = [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "text", "text": uuid.uuid4().hex},
        ]
        messages += [{"role": "user", "content": parts}, {"role": "assistant", "content": "42."}]
    # A follow-up looks at the last one again.
    messages.append({"role": "user", "content": uuid.uuid4().hex})
    body = {"model": "default", "messages": messages}
    answer = http.post(f"{gateway.url}/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert [len(asked.json["images"]) for asked in captioner.perceptions] == [1] * 7


@pytest.mark.parametrize(
    "image",
    [
        declaring(10_000, 5000),
        declaring(32_768, 1000),
        declaring(200, 1),
        webp_declaring(5000, 5000),
    ],
    ids=["50-million", "long", "thin", "webp"],
)
def test_what_is_within_the_limits_passes(gateway: Service, image: bytes) -> None:
    assert solve(gateway, [image]).status_code == 200

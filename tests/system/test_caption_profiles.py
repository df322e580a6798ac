"""What a caption is may be said by a request or by a reasoner's settings, in every API."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from conftest import gateway_config
from support import http
from support.command import invoke
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import IDENTITY, ScriptedServer

OPTIONS = ["max_tokens", "temperature", "seed", "n", "max_pages", "caption_profile"]
HEADER = "x-racro-caption-profile"
SCREEN = {HEADER: "screen"}


@pytest.fixture(scope="module")
def _service(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[Service]:
    config = gateway_config(_scripted_captioner.url, _scripted_reasoner.url)
    config["captioner"]["identity_ttl_s"] = 0.01
    default = config["reasoners"]["default"]
    config["reasoners"]["agents"] = {**default, "caption_profile": "screen"}
    with Service("gateway", config) as service:
        yield service


@pytest.fixture
def service(_service: Service, captioner: ScriptedServer, reasoner: ScriptedServer) -> Service:
    captioner.script.identity = IDENTITY | {"options": OPTIONS}
    http.get(f"{_service.url}/readyz")
    return _service


def new_image() -> str:
    return data_url(png(uuid.uuid4().hex[:6]))


def chat(image: str, model: str) -> dict[str, Any]:
    content = [{"type": "image_url", "image_url": {"url": image}}, {"type": "text", "text": "?"}]
    return {"model": model, "messages": [{"role": "user", "content": content}]}


def responses(image: str, model: str) -> dict[str, Any]:
    content = [{"type": "input_image", "image_url": image}, {"type": "input_text", "text": "?"}]
    return {"model": model, "input": [{"role": "user", "content": content}]}


def messages(image: str, model: str) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": image.partition(",")[2]}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "?"}]
    return {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": content}]}


def solve(image: str, model: str) -> dict[str, Any]:
    return {"model": model, "images": [image], "question": "?"}


APIS = {
    "/v1/solve": solve,
    "/v1/chat/completions": chat,
    "/v1/responses": responses,
    "/v1/messages": messages,
}
each_api = pytest.mark.parametrize("path", APIS)


def asked_of(captioner: ScriptedServer) -> list[str | None]:
    """The profiles that the captioner was asked for; None where a request says nothing of it."""
    return [asked.json["options"].get("caption_profile") for asked in captioner.perceptions]


def post(
    service: Service, path: str, image: str, *, model: str = "default", **headers: str
) -> httpx2.Response:
    return http.post(f"{service.url}{path}", json=APIS[path](image, model), headers=headers)


@each_api
def test_a_header_asks_for_a_profile_in_every_api(
    service: Service, captioner: ScriptedServer, path: str
) -> None:
    image = new_image()
    for headers in ({}, SCREEN, {}, SCREEN, {HEADER: "description"}):
        assert post(service, path, image, **headers).status_code == 200
    assert asked_of(captioner) == [None, "screen"]


@each_api
def test_a_reasoner_s_settings_say_it_for_requests_that_do_not(
    service: Service, captioner: ScriptedServer, path: str
) -> None:
    for headers in ({}, {HEADER: "description"}):
        assert post(service, path, new_image(), model="agents", **headers).status_code == 200
    assert asked_of(captioner) == ["screen", None]


@each_api
@pytest.mark.parametrize("name", ["poem", "", "screen, screen"])
def test_an_unknown_profile_is_refused(
    service: Service, captioner: ScriptedServer, path: str, name: str
) -> None:
    answer = post(service, path, new_image(), **{HEADER: name})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["message"].startswith(f"{HEADER}: there are description and screen")
    assert asked_of(captioner) == []


def test_solve_has_a_field_that_is_before_the_header(
    service: Service, captioner: ScriptedServer
) -> None:
    body = solve(new_image(), "default")
    for more in ({"caption_profile": "screen"}, {"caption_profile": "description"}, {}):
        answer = http.post(f"{service.url}/v1/solve", json=body | more, headers=SCREEN)
        assert answer.status_code == 200
    assert asked_of(captioner) == ["screen", None]
    wrong = http.post(f"{service.url}/v1/solve", json=body | {"caption_profile": "poem"})
    error = wrong.json()["error"]
    assert (wrong.status_code, error["param"]) == (400, "caption_profile")
    assert "'description' or 'screen'" in error["message"]


def test_what_is_perceived_now_and_asked_later_has_a_profile(
    service: Service, captioner: ScriptedServer
) -> None:
    body = {"images": [new_image()], "question": "?"}
    for more, headers in (({}, {}), ({"caption_profile": "screen"}, {}), ({}, SCREEN)):
        answer = http.post(f"{service.url}/v1/visual-contexts", json=body | more, headers=headers)
        assert answer.status_code == 200
    assert asked_of(captioner) == [None, "screen"]


def test_tokens_are_counted_of_the_caption_of_the_profile(
    service: Service, captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    image = new_image()
    captioner.script.caption = "All the text of the screen."
    post(service, "/v1/messages", image, **SCREEN)
    body = messages(image, "default")
    del body["max_tokens"]
    http.post(f"{service.url}/v1/messages/count_tokens", json=body, headers=SCREEN)
    [counted] = reasoner.calls("/v1/messages/count_tokens")
    assert b"All the text of the screen." in counted.raw


def test_a_tentative_response_is_the_same_under_each(
    service: Service, captioner: ScriptedServer
) -> None:
    body = solve(new_image(), "default")
    for more in ({}, {"caption_profile": "screen"}):
        http.post(f"{service.url}/v1/solve", json=body | more)
    assert [one.json["parts"] for one in captioner.perceptions] == [
        ["caption", "tentative"],
        ["caption"],
    ]


def test_a_captioner_that_does_not_know_profiles_describes(
    service: Service, captioner: ScriptedServer
) -> None:
    captioner.script.identity = dict(IDENTITY)
    http.get(f"{service.url}/readyz")
    image = new_image()
    results = [
        post(service, "/v1/chat/completions", image, **headers).headers["x-racro-visual-context"]
        for headers in (SCREEN, {})
    ]
    assert results == ["miss", "hit"]
    assert asked_of(captioner) == [None]


def test_the_command_line_asks_for_a_profile(
    service: Service, captioner: ScriptedServer, tmp_path
) -> None:
    picture = tmp_path / "screen.png"
    picture.write_bytes(png(uuid.uuid4().hex[:6]))
    for more in ((), ("--caption-profile", "screen")):
        invoke("solve", str(picture), "?", *more, "--json", "--gateway", service.url)
    assert asked_of(captioner) == [None, "screen"]

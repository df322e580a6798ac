"""A reasoner that sees, beside one that reads captions: one gateway, one base URL."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from racro.contracts.prompts import seeing_prompt
from support import http
from support.command import invoke
from support.imagehost import Canary, ImageHost
from support.pdfs import text_document
from support.pictures import data_url, png
from support.processes import Service, wait_until
from support.scripted import ScriptedServer, read_events

PNG = png()
DATA_URL = data_url(PNG)
BASE64 = base64.b64encode(PNG).decode()
QUESTION = "How high is the bar?"
PATHS = {"chat": "chat/completions", "responses": "responses", "messages": "messages"}
FIELD = {"chat": "messages", "responses": "input", "messages": "messages"}


@pytest.fixture(scope="module")
def seeing() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="module")
def host() -> Iterator[ImageHost]:
    with ImageHost() as server:
        yield server


@pytest.fixture(scope="module")
def mixed(seeing: ScriptedServer, _scripted_captioner, _scripted_reasoner) -> Iterator[Service]:
    config = {
        "captioner": {"url": _scripted_captioner.url},
        "reasoners": {
            "reads": {"url": f"{_scripted_reasoner.url}/v1", "model": "text-only"},
            "sees": {"url": f"{seeing.url}/v1", "model": "vlm", "vision": True},
        },
        "limits": {"max_images": 2},
        "fetch": {"allow_networks": ["127.0.0.2/32"]},
    }
    with Service("gateway", config) as service:
        yield service


@pytest.fixture(autouse=True)
def afresh(seeing: ScriptedServer, host: ImageHost, captioner, reasoner) -> None:
    seeing.reset()
    host.reset()


def image(api: str, url: str) -> dict[str, Any]:
    """Return a part with an address, in the shape of an API."""
    match api:
        case "chat":
            return {"type": "image_url", "image_url": {"url": url, "detail": "low"}}
        case "responses":
            return {"type": "input_image", "image_url": url, "detail": "auto"}
    return {"type": "image", "source": {"type": "url", "url": url}, "cache_control": {"type": "a"}}


def data(api: str) -> dict[str, Any]:
    """Return what the reasoner gets of the part."""
    if api != "messages":
        return image(api, DATA_URL)
    source = {"type": "base64", "media_type": "image/png", "data": BASE64}
    return {**image(api, ""), "source": source}


def body(api: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    text = {"type": "input_text" if api == "responses" else "text", "text": QUESTION}
    listed = [{"role": "user", "content": [*parts, text]}]
    return {"model": "sees", FIELD[api]: listed, "max_tokens": 99, "x_more": [1.0], **more}


@pytest.mark.parametrize("api", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_images_pass_and_nobody_is_asked_for_a_caption(
    mixed: Service, seeing, captioner, host: ImageHost, api: str, stream: bool
) -> None:
    sent = body(api, image(api, f"{host.url}/image.png?text=42"), stream=stream)
    answer = http.post(f"{mixed.url}/v1/{PATHS[api]}", json=sent)
    assert answer.status_code == 200, answer.text
    assert "x-racro-visual-context" not in answer.headers
    [asked] = seeing.calls(f"/v1/{PATHS[api]}")
    assert asked.json == {**body(api, data(api), stream=stream), "model": "vlm"}
    assert captioner.perceptions == []


def test_tokens_are_counted_with_the_image(mixed: Service, seeing, captioner, host) -> None:
    sent = body("messages", image("messages", f"{host.url}/image.png?text=42"))
    answer = http.post(f"{mixed.url}/v1/messages/count_tokens", json=sent)
    assert answer.json()["input_tokens"]
    [asked] = seeing.calls("/v1/messages/count_tokens")
    assert asked.json == {**body("messages", data("messages")), "model": "vlm"}
    assert captioner.perceptions == []


def test_tokens_are_counted_without_an_image_that_cannot_be_loaded(
    mixed: Service, seeing, host: ImageHost
) -> None:
    sent = body("messages", image("messages", f"{host.url}/gone.png"), data("messages"))
    assert http.post(f"{mixed.url}/v1/messages", json=sent).status_code == 400
    answer = http.post(f"{mixed.url}/v1/messages/count_tokens", json=sent)
    assert answer.status_code == 200, answer.text
    [asked] = seeing.calls("/v1/messages/count_tokens")
    line, picture, _ = asked.json["messages"][0]["content"]
    assert line["text"].startswith("[image: could not be looked at: ")
    assert picture == data("messages")


@pytest.mark.parametrize("api", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_an_address_that_leads_inside_is_refused(
    mixed: Service, seeing, api: str, stream: bool
) -> None:
    with Canary() as canary:
        sent = body(api, image(api, f"http://127.0.0.1:{canary.port}/"), stream=stream)
        answer = http.post(f"{mixed.url}/v1/{PATHS[api]}", json=sent)
        assert canary.visits() == 0
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert "127.0.0.1" not in error["message"]
    names = {
        "chat": "messages[0].content[0].image_url",
        "responses": "input[0].content[0].image_url",
        "messages": "messages[0].content[0].source.url",
    }
    assert error["param"] == names[api]
    assert seeing.calls(f"/v1/{PATHS[api]}") == []


def test_too_many_images_are_refused(mixed: Service, seeing) -> None:
    parts = [image("chat", data_url(png(str(number)))) for number in range(3)]
    answer = http.post(f"{mixed.url}/v1/chat/completions", json=body("chat", *parts))
    assert answer.status_code == 400
    assert "3 images; max_images = 2" in answer.json()["error"]["message"]
    assert seeing.calls("/v1/chat/completions") == []


def test_both_are_reached_by_one_base_url(
    mixed: Service, seeing, captioner, reasoner: ScriptedServer
) -> None:
    """What one is sent as an image the other one reads."""
    messages = body("chat", data("chat"))["messages"]
    before = mixed.metrics()
    with OpenAI(base_url=f"{mixed.url}/v1", api_key="none", max_retries=0) as client:
        for model in ("reads", "sees"):
            said = client.chat.completions.create(model=model, messages=messages)
            assert said.choices[0].message.content
    assert len(captioner.perceptions) == 1
    [read], [saw] = reasoner.calls("/v1/chat/completions"), seeing.calls("/v1/chat/completions")
    assert "visual_context" in str(read.json["messages"])
    assert saw.json["messages"] == messages
    after = mixed.metrics()
    for counted, more in {
        'racro_images_total{source="data_url",tenant=""}': 2,
        'racro_reasoner_answers_total{outcome="complete",reasoner="sees",tenant=""}': 1,
        'racro_reasoner_answers_total{outcome="complete",reasoner="reads",tenant=""}': 1,
    }.items():
        assert after[counted] - before.get(counted, 0) == more, counted


def test_a_card_tells_which_one_reads(mixed: Service) -> None:
    cards = http.get(f"{mixed.url}/v1/models").json()["data"]
    assert {card["id"]: card["visual_context"] for card in cards} == {"reads": True, "sees": False}
    assert all(card["input_modalities"] == ["text", "image"] for card in cards)


# /v1/solve


def solved(service: Service, **more: Any) -> httpx2.Response:
    sent = {"question": QUESTION, "images": [DATA_URL], "model": "sees", **more}
    return http.post(f"{service.url}/v1/solve", json=sent)


def expected(*images: dict[str, Any]) -> list[dict[str, Any]]:
    text = {"type": "text", "text": seeing_prompt(QUESTION)}
    return [{"role": "user", "content": [*images, text]}]


SHOWN = {"type": "image_url", "image_url": {"url": DATA_URL}}


def test_a_solve(mixed: Service, seeing, captioner) -> None:
    answer = solved(mixed)
    found = answer.json()
    assert (found["answer"], found["visual_context"]) == ("42", None)
    assert found["usage"]["captioner"] == {"prompt_tokens": 0, "completion_tokens": 0}
    assert found["usage"]["reasoner"] == {"prompt_tokens": 7, "completion_tokens": 3}
    assert "x-racro-visual-context" not in answer.headers
    [asked] = seeing.calls("/v1/chat/completions")
    assert asked.json["messages"] == expected(SHOWN)
    assert asked.json["temperature"] == 0.6
    assert captioner.perceptions == []


def test_a_solve_of_a_form(mixed: Service, seeing, host: ImageHost) -> None:
    fields = {"question": QUESTION, "model": "sees"}
    files = {"image": ("a.png", PNG, "image/png")}
    assert http.post(f"{mixed.url}/v1/solve", data=fields, files=files).json()["answer"] == "42"
    solved(mixed, images=[f"{host.url}/image.png?text=42"])
    for asked in seeing.calls("/v1/chat/completions"):
        assert asked.json["messages"] == expected(SHOWN)


def test_a_solve_of_a_pdf(mixed: Service, seeing) -> None:
    document = data_url(text_document("42"), "application/pdf")
    assert solved(mixed, images=[document]).status_code == 200
    [asked] = seeing.calls("/v1/chat/completions")
    part = {"type": "file", "file": {"filename": "document.pdf", "file_data": document}}
    assert asked.json["messages"] == expected(part)


def test_a_streamed_solve_tells_nothing_of_a_visual_context(mixed: Service) -> None:
    events = read_events(solved(mixed, stream=True).text)
    names = [name for name, _ in events]
    assert set(names) == {"answer.delta", "done"}
    assert events[-1][1]["visual_context"] is None


def test_a_visual_context_is_not_for_one_that_sees(mixed: Service, seeing) -> None:
    perceived = http.post(f"{mixed.url}/v1/visual-contexts", json={"images": [DATA_URL]}).json()
    answer = solved(mixed, images=[], visual_context=perceived["id"])
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, "visual_context")
    assert "the reasoner sees sees for itself" in error["message"]
    assert seeing.calls("/v1/chat/completions") == []


@pytest.mark.parametrize(
    ("images", "status", "param"),
    [
        (["http://127.0.0.1:9/a.png"], 403, "images[0]"),
        (["data:image/png;base64,R0lGODlh"], 400, "images[0]"),
        ([DATA_URL] * 3, 400, "images"),
    ],
)
def test_an_image_of_a_solve_that_is_refused(mixed: Service, seeing, images, status, param) -> None:
    answer = solved(mixed, images=images)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)
    assert seeing.calls("/v1/chat/completions") == []


def test_racro_solve_shows_the_answer_and_no_caption(mixed: Service, tmp_path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(PNG)
    command = ("solve", "--gateway", mixed.url, "--model", "sees", picture, QUESTION)
    told = invoke(*command)
    assert told.returncode == 0, told.stderr
    assert "boxed{42}" in told.stdout
    assert "Caption" not in told.stdout
    assert json.loads(invoke(*command, "--json").stdout)["visual_context"] is None


def test_a_client_that_leaves_ends_the_answer(mixed: Service, seeing: ScriptedServer) -> None:
    seeing.script.held_at = 1
    sent = body("chat", data("chat"), stream=True)
    with httpx2.stream("POST", f"{mixed.url}/v1/chat/completions", json=sent) as answer:
        next(answer.iter_bytes())
    wait_until(lambda: seeing.chats[0].left_at, what="the reasoner is left")

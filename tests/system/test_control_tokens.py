"""No control token of any model family passes through the services, by question or caption."""

from collections.abc import Iterator

import pytest

from conftest import gateway_config
from support import http
from support.control_tokens import TOKENS
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import ScriptedServer

HOSTILE = " ".join(TOKENS)
READABLE = HOSTILE.replace(" ", "")


@pytest.fixture(scope="module")
def service(
    _scripted_captioner: ScriptedServer, _scripted_reasoner: ScriptedServer
) -> Iterator[Service]:
    """A gateway with a reasoner of each profile, over a real captioner with a scripted engine."""
    engine = {"url": f"{_scripted_captioner.url}/v1", "model": "scripted"}
    config = {"captioner": {"kind": "vlm", "engine": engine}}
    with Service("services.captioner", config) as captioner:
        gateway = gateway_config(captioner.url, _scripted_reasoner.url)
        reasoner = gateway["reasoners"]["default"]
        gateway["reasoners"] = {
            profile: {**reasoner, "prompt_profile": profile, "tentative": True}
            for profile in ("racro-v1", "compact-v1")
        }
        with Service("gateway", gateway) as service:
            yield service


@pytest.fixture
def engine(service: Service, captioner: ScriptedServer) -> ScriptedServer:
    """The captioner's engine, whose captions hold every token."""
    captioner.script.texts = [HOSTILE]
    return captioner


def sent_texts(server: ScriptedServer) -> list[str]:
    """All text that a server was sent, message by message."""
    contents = [message["content"] for chat in server.chats for message in chat.json["messages"]]
    return [
        part["text"]
        for content in contents
        for part in ([{"text": content}] if isinstance(content, str) else content)
        if "text" in part
    ]


def assert_broken(texts: list[str], *, times: int) -> None:
    """Of the tokens none is whole, and all can be read."""
    assert [token for token in TOKENS if any(token in text for text in texts)] == []
    assert sum(text.replace(" ", "").count(READABLE) for text in texts) == times


@pytest.mark.parametrize("profile", ["racro-v1", "compact-v1"])
def test_in_a_question_and_its_captions(service, engine, reasoner, profile) -> None:
    body = {
        "model": profile,
        "question": f"{profile} {HOSTILE}",
        "images": [data_url(png())],
    }
    answer = http.post(f"{service.url}/v1/solve", json=body)
    assert answer.status_code == 200, answer.text
    # Its engine is asked for a caption and for a tentative response.
    assert_broken(sent_texts(engine), times=2)
    assert_broken(sent_texts(reasoner), times=3)


@pytest.mark.parametrize("profile", ["racro-v1", "compact-v1"])
def test_in_captions_of_a_chat(service, engine, reasoner, profile) -> None:
    image = {"type": "image_url", "image_url": {"url": data_url(png())}}
    content = [image, {"type": "text", "text": f"What do we see, {profile}?"}]
    body = {"model": profile, "messages": [{"role": "user", "content": content}]}
    answer = http.post(f"{service.url}/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert_broken(sent_texts(reasoner), times=2)

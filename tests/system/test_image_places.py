"""Wherever an image stands in a chat, in whatever shape, it is seen, and not sent on as base64."""

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from support.chat_images import image_parts, result_texts
from support.pictures import data_url, png
from support.processes import PATIENCE_S, Service
from support.scripted import ScriptedServer

ROLES = ["system", "developer", "user", "assistant", "tool", "function"]
# A piece of the base64 of every picture.
BASE64 = base64.b64encode(png()).decode()[:24]
Message = dict[str, Any]
_numbers = itertools.count()


@pytest.fixture(scope="module")
def _client(_gateway: Service) -> Iterator[OpenAI]:
    url = f"{_gateway.url}/v1"
    with OpenAI(base_url=url, api_key="sk", max_retries=0, timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture
def client(gateway: Service, _client: OpenAI) -> OpenAI:
    return _client


def picture() -> bytes:
    """A picture that no other test has."""
    return png(f"place {next(_numbers)}")


def ask(client: OpenAI, *messages: Message, stream: bool = False) -> str:
    answer = client.chat.completions.create(model="default", messages=messages, stream=stream)
    if not stream:
        return answer.choices[0].message.content
    return "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)


def message(role: str, content: Any, **fields: Any) -> Message:
    ids = {"tool": {"tool_call_id": "call_1"}, "function": {"name": "look"}}
    return {"role": role, "content": content, **ids.get(role, {}), **fields}


def check_seen(
    captioner: ScriptedServer, reasoner: ScriptedServer, data: bytes, question: str | None
) -> Message:
    """Check that a picture was captioned for a question, and return the reasoner's last message."""
    perceived = captioner.perceptions[-1].json
    assert perceived["images"] == [data_url(data)]
    assert perceived["question"] == question
    asked = reasoner.chats[-1]
    assert BASE64.encode() not in asked.raw
    last = asked.json["messages"][-1]
    assert json.dumps(last).count("A bar chart with one bar of height 42.") == 1
    return last


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("shape", image_parts(b""))
def test_an_image_part_is_seen(client, captioner, reasoner, shape, role, stream) -> None:
    data = picture()
    parts = [{"type": "text", "text": "Here:"}, image_parts(data)[shape]]
    messages = [message("user", "What is it?"), message(role, parts)]
    assert ask(client, *messages, stream=stream) == "The answer is \\boxed{42}."
    questions = {"system": None, "developer": None, "user": "Here:"}
    last = check_seen(captioner, reasoner, data, questions.get(role, "What is it?"))
    name = "File: a.png\n" if "filename" in json.dumps(parts) else ""
    assert last["content"].startswith(f"Here:\n{name}<visual_context: image;")
    assert last.keys() == messages[1].keys()


@pytest.mark.parametrize("role", ["tool", "function"])
@pytest.mark.parametrize("as_part", [False, True], ids=["text", "part"])
@pytest.mark.parametrize("shape", result_texts(b""))
def test_an_image_within_the_text_of_a_result_is_seen(
    client, captioner, reasoner, shape, as_part, role
) -> None:
    data = picture()
    text = result_texts(data)[shape]
    content = [{"type": "text", "text": text}] if as_part else text
    ask(client, message("user", "What is it?"), message(role, content))
    told = check_seen(captioner, reasoner, data, "What is it?")["content"]
    if shape == "data-url":
        assert told.startswith("<visual_context: image;")
    else:
        assert type(json.loads(told)) is type(json.loads(text))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("as_url", [False, True], ids=["base64", "data-url"])
def test_images_beside_the_content_are_seen(client, captioner, reasoner, role, as_url) -> None:
    data = picture()
    image = data_url(data) if as_url else base64.b64encode(data).decode()
    ask(client, message("user", "What is it?"), message(role, "Here:", images=[image]))
    questions = {"system": None, "developer": None, "user": "Here:"}
    last = check_seen(captioner, reasoner, data, questions.get(role, "What is it?"))
    assert "images" not in last
    assert last["content"].endswith("</visual_context>\nHere:")


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant"])
def test_a_picture_within_markdown_is_seen(client, captioner, reasoner, role) -> None:
    data = picture()
    ask(client, message("user", "Draw."), message(role, f"Here: ![it]({data_url(data)}) Nice?"))
    questions = {"system": None, "developer": None, "user": "Here:  Nice?"}
    last = check_seen(captioner, reasoner, data, questions.get(role, "Draw."))
    assert last["content"].startswith("Here: <visual_context: image;")
    assert last["content"].endswith("</visual_context> Nice?")


def test_an_image_within_a_block_of_results_is_seen(client, captioner, reasoner) -> None:
    data = picture()
    block = {
        "type": "tool_result",
        "tool_use_id": "1",
        "content": [image_parts(data)["messages"]],
    }
    ask(client, message("user", "What is it?"), message("user", [block]))
    [told] = check_seen(captioner, reasoner, data, "What is it?")["content"]
    assert told["type"] == "tool_result"
    assert [part["type"] for part in told["content"]] == ["text"]


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_a_question_about_an_earlier_image_of_any_role_has_it_looked_at_again(
    client, captioner, reasoner, role
) -> None:
    parts = [image_parts(picture())["chat"]]
    ask(client, message(role, parts), message("user", "How high?"))
    assert {one.json["question"] for one in captioner.perceptions} == {None, "How high?"}
    told = reasoner.chats[-1].json["messages"]
    assert "shown earlier, looked at again for this message" in told[1]["content"]


@pytest.mark.parametrize("role", ["user", "assistant", "tool"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# Page\n![shot](", ")"),
        ('<img src="', '">'),
        ("", "\nWhat is it?"),
        ("What is it? ", ""),
        ("\n", ""),
        ("Screenshot taken:\n[{'url': '", "'}]"),
        ('{"n": NaN, "n": 1.50, "shot": "', '"}'),
    ],
    ids=["markdown", "html", "before", "behind", "line", "python", "no-json"],
)
def test_a_data_url_anywhere_in_a_text_is_seen(client, captioner, reasoner, role, before, after):
    data = picture()
    ask(client, message("user", "Read it."), message(role, before + data_url(data) + after))
    assert captioner.perceptions[-1].json["images"] == [data_url(data)]
    told = reasoner.chats[-1].json["messages"][-1]["content"]
    assert BASE64 not in told
    assert told.startswith(before.removesuffix("![shot]("))
    assert told.endswith(after.removeprefix(")"))


@pytest.mark.parametrize(
    "result",
    [
        {"screenshot": "%s", "ok": True},
        {"data": {"image/png": "%s", "text/plain": ["<Figure>"]}},
        {"name": "a.png", "content": "%s", "encoding": "base64"},
        {"images": ["%s"], "info": ""},
        {"artifacts": [{"base64": "%s", "finishReason": "SUCCESS"}]},
        {"content": [{"image": {"format": "png", "source": {"bytes": "%s"}}}]},
        {"title": "A", "media_type": "image/png", "data": "%s", "rows": [1, 2, 3]},
        {"a": json.dumps({"b": json.dumps({"c": json.dumps({"shot": "%s"})})})},
    ],
    ids=["field", "jupyter", "github", "list", "artifacts", "bedrock", "siblings", "nested"],
)
def test_base64_in_a_field_of_any_name_is_replaced_alone(
    client, captioner, reasoner, result
) -> None:
    data = picture()
    text = json.dumps(result)
    ask(
        client,
        message("user", "Read it."),
        message("tool", text.replace("%s", base64.b64encode(data).decode())),
    )
    assert captioner.perceptions[-1].json["images"] == [data_url(data)]
    told = reasoner.chats[-1].json["messages"][-1]["content"]
    before, after = text.split("%s")
    assert told.startswith(before)
    assert told.endswith(after)
    assert type(json.loads(told)) is dict


@pytest.mark.parametrize("field", ["tool_calls", "files", "parts", "experimental_attachments"])
def test_an_image_in_a_field_beside_the_content_is_replaced_alone(
    client, captioner, reasoner, field
) -> None:
    data = picture()
    function = {"name": "f", "arguments": json.dumps({"n": 1, "image": data_url(data)})}
    call = {"id": "1", "type": "function", "function": function}
    messages = [message("user", "Q?"), message("assistant", None, **{field: [call]})]
    ask(client, *messages, message("tool", "done"))
    assert captioner.perceptions[-1].json["images"] == [data_url(data)]
    told = reasoner.chats[-1].json["messages"][1]
    assert told["content"] is None
    [called] = told[field]
    seen = json.loads(called["function"].pop("arguments"))
    assert seen["n"] == 1
    assert seen["image"].startswith("<visual_context: image;")
    assert called == {**call, "function": {"name": "f"}}


def test_what_only_tells_of_images_stays_what_it_was(client, captioner, reasoner) -> None:
    texts = [
        "Why does ![alt](data:image/png;base64,iVBORw0KGgo...) not render?",
        "`<img src='data:image/png;base64,AAAA'>`",
        "data:image/jpeg;base64,{base64_image}",
        json.dumps({"type": "image", "image": "image-Tb9Ew8CXIwaY6R1kjMvI0uRR-2000x3000-jpg"}),
        json.dumps({"type": "image", "source": "a" * 64, "target": "/x"}),
        json.dumps({"cert": "MIID" * 300, "files": [{"mime": "image/png"}] * 4200}),
    ]
    messages = [message(role, text) for text in texts for role in ("user", "assistant", "tool")]
    ask(client, *messages)
    assert captioner.perceptions == []
    assert reasoner.chats[-1].json["messages"] == messages


@pytest.mark.parametrize("role", ["user", "tool"])
def test_an_image_in_json_that_cannot_be_seen_becomes_a_line(client, reasoner, role) -> None:
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 200).decode()
    cut = base64.b64encode(png()[:8] + b"x" * 60).decode()
    result = {"icon": f"data:image/svg+xml;base64,{svg}", "n": 1, "shot": cut}
    ask(client, message("user", "Read it."), message(role, json.dumps(result)))
    told = json.loads(reasoner.chats[-1].json["messages"][-1]["content"])
    assert told["icon"].startswith("[image: ")
    assert told["shot"].startswith("[image")
    assert told["n"] == 1


def test_a_document_of_text_is_the_reasoners_to_read(client, captioner, reasoner) -> None:
    documents = [
        {"type": "document", "document": {"id": "1", "data": {"text": "some text"}}},
        {"type": "document", "text": "some text", "title": "A"},
    ]
    messages = [message("user", [*documents, {"type": "text", "text": "Q?"}])]
    ask(client, *messages)
    assert reasoner.chats[-1].json["messages"] == messages
    assert captioner.perceptions == []


def test_a_part_of_a_kind_that_nobody_knows_becomes_a_text(client, captioner, reasoner) -> None:
    data = picture()
    part = {"type": "snapshot", "at": 5, "raw": base64.b64encode(data).decode()}
    ask(client, message("user", [{"type": "text", "text": "Q?"}, part]))
    told = check_seen(captioner, reasoner, data, "Q?")["content"]
    assert json.loads(told.partition("\n")[2])["at"] == 5


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("part", "field", "says"),
    [
        ({"type": "video_url", "video_url": {"url": "https://x/v.mp4"}}, "", "video"),
        ({"type": "input_video", "data": "AAAA"}, "", "video"),
        ({"type": "file", "file": {"file_id": "file-1"}}, ".file.file_id", "send the file itself"),
        ({"type": "input_image", "file_id": "file-1"}, ".file_id", "send the file itself"),
        ({"type": "image"}, "", "without an image"),
    ],
    ids=["video", "input-video", "file-id", "image-id", "nothing"],
)
def test_what_cannot_be_seen_is_refused_by_name(
    client, reasoner, part, field, says, stream
) -> None:
    with pytest.raises(openai.BadRequestError, match=says) as refusal:
        ask(client, message("user", [{"type": "text", "text": "Q?"}, part]), stream=stream)
    assert refusal.value.param == f"messages[0].content[1]{field}"
    assert reasoner.chats == []


def test_a_broken_image_is_named_by_the_clients_own_field(client) -> None:
    cut = base64.b64encode(png()[:20]).decode()
    part = {"type": "image", "source": {"type": "base64", "data": cut}}
    with pytest.raises(openai.BadRequestError) as refusal:
        ask(client, message("user", [part]))
    assert refusal.value.param == "messages[0].content[0].source.data"


def test_a_file_of_another_kind_is_refused(client) -> None:
    text = base64.b64encode(b"hello " * 20).decode()
    part = {"type": "file", "file": {"file_data": f"data:text/plain;base64,{text}"}}
    with pytest.raises(openai.APIStatusError) as refusal:
        ask(client, message("user", [part]))
    assert refusal.value.status_code == 415
    assert refusal.value.param == "messages[0].content[0].file.file_data"


def test_audio_is_the_reasoners_to_hear(client, captioner, reasoner) -> None:
    data = base64.b64encode(b"RIFF\0\0\0\0WAVEfmt " * 20).decode()
    audio = [
        {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}},
        {"type": "media", "mime_type": "audio/wav", "data": data},
        {"type": "file", "mediaType": "audio/mpeg", "data": data},
    ]
    messages = [message("user", [*audio, {"type": "text", "text": "Q?"}])]
    ask(client, *messages)
    assert reasoner.chats[-1].json["messages"] == messages
    assert captioner.perceptions == []

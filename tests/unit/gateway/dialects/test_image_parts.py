"""Every shape in which a client may send an image: in every role it is seen, or refused by name."""

import json
from typing import Any

import pytest
from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation
from gateway.dialects.context_insertion import insert_contexts
from gateway.dialects.conversation import find_image_turns
from gateway.dialects.part_descriptions import with_description
from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.prompts import visual_context_block

LIMITS = LimitsSection()
BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAI" * 2
DATA_URL = f"data:image/png;base64,{BASE64}"
ALONE = BASE64
URL = "https://example.org/a.png"
PDF = f"data:application/pdf;base64,{BASE64}"
ROLES = ["system", "developer", "user", "assistant", "tool", "function"]

# The part, the content of its image, and the client's field behind the part.
SHAPES: dict[str, tuple[dict[str, Any], str, str]] = {
    "chat": ({"type": "image_url", "image_url": {"url": URL}}, URL, ".image_url"),
    "chat-text": ({"type": "image_url", "image_url": DATA_URL}, DATA_URL, ".image_url"),
    "chat-null": (
        {"type": "image_url", "image_url": {"url": URL, "detail": None}, "text": None},
        URL,
        ".image_url",
    ),
    "untyped": ({"image_url": {"url": URL}}, URL, ".image_url"),
    "responses": ({"type": "input_image", "image_url": URL, "file_id": None}, URL, ".image_url"),
    "messages-base64": (
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": BASE64},
            "cache_control": {"type": "ephemeral"},
        },
        ALONE,
        ".source.data",
    ),
    "messages-url": ({"type": "image", "source": {"type": "url", "url": URL}}, URL, ".source.url"),
    "messages-document": (
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": BASE64},
            "title": "A",
        },
        ALONE,
        ".source.data",
    ),
    "messages-document-url": (
        {"type": "document", "source": {"type": "url", "url": URL}},
        URL,
        ".source.url",
    ),
    "ai-sdk": ({"type": "image", "image": BASE64, "mediaType": "image/png"}, ALONE, ".image"),
    "ai-sdk-url": ({"type": "image", "image": URL}, URL, ".image"),
    "ai-sdk-data-url": ({"type": "image", "image": DATA_URL}, DATA_URL, ".image"),
    "ai-sdk-file": ({"type": "file", "data": PDF, "mediaType": "application/pdf"}, PDF, ".data"),
    "ai-sdk-media": (
        {"type": "media", "data": BASE64, "mediaType": "image/png"},
        ALONE,
        ".data",
    ),
    "mcp": ({"type": "image", "data": BASE64, "mimeType": "image/png"}, ALONE, ".data"),
    "gemini": ({"inline_data": {"mime_type": "image/png", "data": BASE64}}, ALONE, None),
    "gemini-camel": ({"inlineData": {"mimeType": "image/png", "data": BASE64}}, ALONE, None),
    "chat-file": (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
        PDF,
        ".file.file_data",
    ),
    "chat-file-base64": (
        {"type": "file", "file": {"file_data": BASE64, "file_id": None}},
        ALONE,
        ".file.file_data",
    ),
    "responses-file": ({"type": "input_file", "file_data": PDF}, PDF, ".file_data"),
    "responses-file-url": ({"type": "input_file", "file_url": URL}, URL, ".file_url"),
}


def message(role: str, *content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": [*content], **fields}


def turns(messages: list[dict[str, Any]]):
    found = find_image_turns(
        ChatConversation(json.dumps(messages).encode()), LIMITS, follow_up=True
    )
    for image in [image for turn in found for image in turn.images]:
        if image.refusal is not None:
            raise image.refusal  # as the loader does
    return found


def told(messages: list[dict[str, Any]], a_context) -> list[dict[str, Any]]:
    contexts = {turn.index: (turn, a_context("A bar.")) for turn in turns(messages)}
    out = insert_contexts(ChatConversation(json.dumps(messages).encode()), contexts)
    return [json.loads(bytes(one)) for one in out]


BLOCK = visual_context_block(images=1, caption="A bar.")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("part", "content", "field"), SHAPES.values(), ids=SHAPES)
def test_it_is_seen(a_context, role, part, content, field) -> None:
    messages = [message("user", {"type": "text", "text": "Q?"}), message(role, part)]
    [turn] = turns(messages)
    [image] = turn.images
    assert image.content == content
    if field is not None:
        assert image.param == f"messages[1].content[0]{field}"
    shown = {"role": role, "content": with_description(Raw(json.dumps(part).encode()), BLOCK)}
    assert told(messages, a_context)[1] == shown
    asks = {"system": None, "developer": None, "user": None}
    assert turn.question == asks.get(role, "Q?")


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "video": ({"type": "video_url", "video_url": {"url": URL}}, "", "a video cannot be seen"),
    "video-of-qwen": ({"type": "video", "video": [URL]}, "", "a video cannot be seen"),
    "input-video": ({"type": "input_video", "input_video": {}}, "", "a video cannot be seen"),
    "file-id": ({"type": "file", "file": {"file_id": "f-1"}}, ".file.file_id", "by their ids"),
    "input-file-id": ({"type": "input_file", "file_id": "f-1"}, ".file_id", "by their ids"),
    "input-image-id": ({"type": "input_image", "file_id": "f-1"}, ".file_id", "by their ids"),
    "source-file": (
        {"type": "image", "source": {"type": "file", "file_id": "f-1"}},
        ".source.file_id",
        "by their ids",
    ),
    "assistants": ({"type": "image_file", "image_file": {"file_id": "f-1"}}, "", "known shape"),
    "nothing": ({"type": "image"}, "", "known shape"),
    "empty": ({"type": "image", "image": ""}, "", "known shape"),
    "bytes": ({"type": "image", "image": {"type": "Buffer", "data": [1, 2]}}, "", "known shape"),
    "numbers": ({"type": "image", "data": 5}, "", "known shape"),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("part", "field", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_seen_is_refused_by_name(role, part, field, says) -> None:
    with pytest.raises(InvalidRequest, match=says) as refusal:
        turns([message(role, {"type": "text", "text": "Q?"}, part)])
    assert refusal.value.param == f"messages[0].content[1]{field}"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": BASE64, "format": "wav"}},
        {"type": "refusal", "refusal": "an image"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hi"}},
        {"type": "custom", "image": "nginx:latest"},
        {"type": 5},
        {},
    ],
    ids=str,
)
def test_other_parts_are_passed_on(part) -> None:
    assert turns([message("user", part)]) == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("content", ["Look", None, [{"type": "text", "text": "Look"}]], ids=str)
@pytest.mark.parametrize(
    "image",
    [BASE64, DATA_URL, URL, {"type": "image_url", "image_url": {"url": DATA_URL}}],
    ids=["base64", "data-url", "url", "part"],
)
def test_images_beside_the_content_are_seen(a_context, role, content, image) -> None:
    messages = [{"role": role, "content": content, "images": [image], "name": "ann"}]
    [turn] = turns(messages)
    assert turn.images[0].content == (ALONE if image == BASE64 else turn.images[0].content)
    assert turn.images[0].param.startswith("messages[0].images[0]")
    words = f"\n{'Look'}" if content else ""
    assert told(messages, a_context) == [{"role": role, "name": "ann", "content": BLOCK + words}]


@pytest.mark.parametrize("images", [[5], [None], [[]]], ids=str)
def test_images_beside_the_content_that_are_none_are_refused(images) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        turns([{"role": "user", "content": "Look", "images": images}])
    assert refusal.value.param == "messages[0].images[0]"


@pytest.mark.parametrize(
    ("images", "says"), [({}, "no list"), (5, "no list"), ([""] * 5000, "more than 4096")]
)
def test_images_beside_the_content_are_a_list(images, says) -> None:
    with pytest.raises(InvalidRequest, match=says) as refusal:
        turns([{"role": "user", "content": "Look", "images": images}])
    assert refusal.value.param == "messages[0].images"


@pytest.mark.parametrize("images", [[], None], ids=str)
def test_no_images_beside_the_content(images) -> None:
    assert turns([{"role": "user", "content": "Look", "images": images}]) == []


def test_blocks_of_results_have_their_images_replaced(a_context) -> None:
    block = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": [{"type": "text", "text": "taken"}, SHAPES["messages-base64"][0]],
    }
    messages = [message("user", {"type": "text", "text": "Q?"}), message("user", block)]
    [turn] = turns(messages)
    assert turn.question == "Q?"
    [part] = told(messages, a_context)[1]["content"]
    assert part == {
        **block,
        "content": [
            {"type": "text", "text": "taken"},
            {"type": "text", "text": BLOCK, "cache_control": {"type": "ephemeral"}},
        ],
    }

"""The images of a message: whose links are taken, and what stands beside the content."""

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from gateway.dialects.message_images import (
    as_parts,
    fields_beside,
    joined,
    may_show_images,
    message_pieces,
    read_message,
)
from support.pictures import data_url, png

URL = data_url(png())
LINK = {"type": "image-url", "url": "https://example.org/a.png"}
TEXT = json.dumps(LINK)
SEEN = 'seen: "it"'


def told(message: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return a message with its images replaced, and how many there are."""
    raw, count = Raw(json.dumps(message).encode()), 0

    def place(_source: object) -> str:
        nonlocal count
        count += 1
        return SEEN

    pieces = message_pieces(raw, place, param="messages[0].{}".format)
    content = joined(pieces) or as_parts(pieces, "text")
    fields = {"content": content, **fields_beside(raw, place, param="messages[0].{}".format)}
    assert not count or may_show_images(read_message(raw, 100))
    return json.loads(msgspec.json.encode(fields)), count


@pytest.mark.parametrize("content", [TEXT, [{"type": "text", "text": TEXT}]], ids=["text", "part"])
@pytest.mark.parametrize("role", ["tool", "function", "user", "assistant", "system"])
def test_links_are_taken_from_the_json_of_tools_alone(role, content) -> None:
    shown, count = told({"role": role, "content": content})
    assert count == (role in {"tool", "function"})
    seen = json.dumps({"type": "text", "text": SEEN}, separators=(",", ":"))
    assert shown == {"content": seen if count else TEXT}


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("page", [False, True])
def test_links_are_taken_from_the_json_of_results_and_not_from_pages(page, as_list) -> None:
    text = f"<html>{TEXT}</html>" if page else TEXT
    content = [{"type": "text", "text": text}] if as_list else text
    block = {"type": "tool_result", "tool_use_id": "1", "content": content}
    assert told({"role": "user", "content": [block]})[1] == (not page)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_an_image_in_the_reasoning_beside_the_content_is_replaced(name) -> None:
    shown, count = told({"role": "assistant", "content": "a", name: f"I see {URL} there"})
    assert (shown, count) == ({"content": "a", name: f"I see {SEEN} there"}, 1)
    assert told({"role": "assistant", "content": "a", name: "I see"}) == ({"content": "a"}, 0)


@pytest.mark.parametrize("url", [URL, "https://a.example/b"], ids=["data-url", "link"])
@pytest.mark.parametrize("kind", ["text", "input_text", None])
def test_an_image_beside_the_text_of_a_part_is_seen(kind, url) -> None:
    part = {"text": "x", "image_url": {"url": url}} | ({"type": kind} if kind else {})
    assert told({"role": "user", "content": [part]}) == ({"content": f"x\n{SEEN}"}, 1)
    assert told({"role": "user", "content": [part | {"image_url": None}]})[1] == 0


PDF = "data:application/pdf;base64,JVBERi0xLjQK"


@pytest.mark.parametrize(
    ("part", "lines"),
    [
        ({"type": "input_file", "filename": "a.pdf", "file_data": PDF}, "File: a.pdf\n"),
        ({"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}, "File: a.pdf\n"),
        ({"type": "file", "filename": "", "file": {"file_data": PDF, "filename": 7}}, ""),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a.example/b"}}
            | {"context": "of \u2026 2\nlines", "title": " Sums ", "citations": {"enabled": True}},
            "Title: Sums\nContext: of \u2026 2\nlines\n",
        ),
        ({"type": "document", "title": None, "context": [], "source": {"data": PDF}}, ""),
    ],
    ids=["responses", "chat", "empty", "messages", "odd"],
)
def test_what_a_file_is_called_stays_beside_its_caption(part, lines) -> None:
    assert told({"role": "user", "content": [part]}) == ({"content": lines + SEEN}, 1)
    result = {"type": "tool_result", "tool_use_id": "1", "content": [part]}
    shown = {"type": "text", "text": lines + SEEN}
    content = [{**result, "content": [shown]}]
    assert told({"role": "user", "content": [result]}) == ({"content": content}, 1)


def test_a_text_stands_in_the_document_that_was_fetched() -> None:
    data = PDF.partition(",")[2] * 20
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    document = {"type": "document", "title": "Sums", "source": source, "citations": {"a": 1}}
    result = {"type": "web_fetch_result", "url": "https://a.example/b.pdf", "content": document}
    block = {"type": "web_fetch_tool_result", "tool_use_id": "1", "content": result}
    text = {"type": "text", "media_type": "text/plain", "data": SEEN}
    shown = {**block, "content": {**result, "content": {**document, "source": text}}}
    words = {"type": "text", "text": "k"}
    message = {"role": "assistant", "content": [words, block]}
    assert told(message) == ({"content": [words, shown]}, 1)
    # No base64 stays beside it.
    odd = {**block, "content": {**result, "content": {**document, "data": data}}}
    content, _ = told({"role": "assistant", "content": [odd]})
    assert data not in json.dumps(content)
    # What was text, and what failed, is as it was.
    assert told({"role": "assistant", "content": [shown]}) == ({"content": [shown]}, 0)
    failed = {**block, "content": {"type": "web_fetch_tool_result_error", "error_code": "x"}}
    assert told({"role": "assistant", "content": [failed]}) == ({"content": [failed]}, 0)


@pytest.mark.parametrize("kind", ["view_tool_result", "code_execution_tool_result"])
def test_a_picture_in_the_list_of_a_result_that_is_not_known_becomes_a_text(kind) -> None:
    url = {"type": "base64", "media_type": "image/png", "data": URL.partition(",")[2]}
    block = {"type": kind, "tool_use_id": "1", "more": [1], "content": [{"type": "x", "y": 1}]}
    picture = {"type": "image", "source": url}
    given = {**block, "content": [*block["content"], picture]}
    shown = {**block, "content": [*block["content"], {"type": "text", "text": SEEN}]}
    assert told({"role": "assistant", "content": [given]}) == ({"content": [shown]}, 1)
    # Elsewhere nothing is known of what may stand there: the whole becomes a text.
    given = {**block, "content": {"shot": url}}
    content, count = told({"role": "assistant", "content": [given]})
    assert count == 1
    assert "shot" in content["content"]
    assert url["data"] not in content["content"]

"""Images within JSON that a tool wrote are replaced, and all else stays equal."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.json_images import MOST_DEPTH, MOST_VALUES, replace_in_json
from racro.contracts.errors import InvalidRequest

BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAI" * 2
DATA_URL = f"data:image/png;base64,{BASE64}"
LARGE = {"type": "image", "data": BASE64 * 10, "mimeType": "image/png"}
SEEN = {"type": "text", "text": "[seen]"}
IMAGES: dict[str, Any] = {
    "ai-sdk-media": {"type": "media", "data": BASE64, "mediaType": "image/png"},
    "ai-sdk-image-data": {"type": "image-data", "data": BASE64, "mediaType": "image/png"},
    "ai-sdk-image-url": {"type": "image-url", "url": "https://example.org/a.png"},
    "ai-sdk-file-data": {"type": "file-data", "data": BASE64, "mediaType": "application/pdf"},
    "mcp": {"type": "image", "data": BASE64, "mimeType": "image/png"},
    "mcp-resource": {"uri": "file:///a.png", "mimeType": "image/png", "blob": BASE64},
    "messages": {"type": "image", "source": {"type": "base64", "data": BASE64}},
    "chat": {"type": "image_url", "image_url": {"url": DATA_URL}},
    "images-api": {"b64_json": BASE64},
    "pdf": {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{BASE64}",
                                     "mime_type": "application/pdf"}},
    "gemini": {"inlineData": {"mimeType": "image/png", "data": BASE64}},
}  # fmt: skip
OTHERS: list[Any] = [
    {"type": "image"},
    {"type": "image", "name": "a.png", "url": "https://example.org/a.png"},
    {"type": "image", "image": "nginx:latest"},
    {"type": "file", "mimeType": "image/png", "path": "/tmp/a.png"},
    {"type": "image", "data": [1, 2, 3]},
    {"mimeType": "audio/wav", "data": BASE64},
    {"image": None},
    "an image in words",
    "data:image/svg+xml,<svg></svg>",
    "data:image/png, said the log",
    '{"image": 1}',
    "[image]",
    1.50,
    2**70,
]


def replaced(value: Any) -> Any:
    out = replace_in_json(json.dumps(value).encode(), lambda _: "[seen]", param="messages[0]")
    return value if out is None else json.loads(bytes(out))


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize(
    "around",
    [
        lambda one: one,
        lambda one: [one],
        lambda one: {"type": "content", "value": [{"type": "text", "text": "a"}, one]},
        lambda one: {"content": [one], "isError": False},
        lambda one: [[[{"a": {"b": [one]}}]]],
    ],
    ids=["alone", "list", "ai-sdk", "mcp", "deep"],
)
def test_an_object_that_says_it_is_an_image_becomes_a_text_part(image, around) -> None:
    assert replaced(around(image)) == around(SEEN) or "inlineData" in str(image)
    assert BASE64 not in json.dumps(replaced(around(image)))


def test_a_data_url_becomes_the_text() -> None:
    assert replaced({"picture": DATA_URL, "n": 1}) == {"picture": "[seen]", "n": 1}


def test_slashes_may_be_escaped() -> None:
    text = json.dumps([IMAGES["mcp"], DATA_URL]).replace("/", "\\/").encode()
    out = replace_in_json(text, lambda _: "[seen]", param="")
    assert json.loads(bytes(out)) == [SEEN, "[seen]"]


def test_json_may_be_a_string_within_json() -> None:
    inner = json.dumps({"content": [IMAGES["mcp"]], "n": "\u00e9"})
    out = replaced([{"type": "text", "text": inner}])
    assert json.loads(out[0]["text"]) == {"content": [SEEN], "n": "\u00e9"}


VALUES = st.recursive(
    st.sampled_from(OTHERS) | st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=4), inside, max_size=4)
    ),
    max_leaves=12,
)
MARKED = st.recursive(
    st.sampled_from([*OTHERS, IMAGES["mcp"], IMAGES["messages"], DATA_URL]),
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=4), inside, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_without_images_it_is_unchanged(value) -> None:
    text = json.dumps(value).encode()
    assert replace_in_json(text, lambda _: "[seen]", param="") is None


@given(MARKED, st.booleans())
def test_but_for_images_it_stays_equal(value, ascii_only) -> None:
    def expected(one: Any) -> Any:
        if one == DATA_URL:
            return "[seen]"
        if one in (IMAGES["mcp"], IMAGES["messages"]):
            return SEEN
        if isinstance(one, list):
            return [expected(item) for item in one]
        if isinstance(one, dict):
            return {name: expected(item) for name, item in one.items()}
        return one

    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    contents: list[str] = []

    def place(source) -> str:
        contents.append(source.content)
        return "[seen]"

    out = replace_in_json(text, place, param="")
    assert (value if out is None else json.loads(bytes(out))) == expected(value)
    audio = text.count(b"audio/wav")
    assert len(contents) == text.count(BASE64.encode()) - audio
    assert {content[-len(BASE64) :] for content in contents} <= {BASE64}


@pytest.mark.parametrize("text", [b"", b"{", b"[1,", b'{"image/": ', b"nothing", b"[" * 100_000])
def test_what_is_no_json_has_no_images(text) -> None:
    assert replace_in_json(text, lambda _: "[seen]", param="") is None


def nested(value: Any, depth: int) -> bytes:
    return b"[" * depth + json.dumps(value).encode() + b"]" * depth


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([[LARGE]] * MOST_VALUES).encode(),
        json.dumps([LARGE] * 2 * MOST_VALUES).encode(),
        json.dumps([LARGE, *range(MOST_VALUES)]).encode(),
        nested(LARGE, MOST_DEPTH),
    ],
    ids=["images", "more-images", "values", "levels"],
)
def test_more_than_is_gone_through_is_refused_by_name(text) -> None:
    with pytest.raises(InvalidRequest, match=f"{MOST_VALUES} values or {MOST_DEPTH} levels") as no:
        replace_in_json(text, lambda _: "", param="messages[3].content")
    assert no.value.param == "messages[3].content"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"type": "image", "name": "a"}] * MOST_VALUES).encode(),
        nested({"type": "image"}, MOST_DEPTH + 1),
    ],
    ids=["values", "levels"],
)
def test_large_json_that_only_tells_of_images_is_passed_on(text) -> None:
    assert replace_in_json(text, lambda _: "", param="") is None

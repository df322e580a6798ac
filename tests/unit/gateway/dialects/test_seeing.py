"""What a reasoner that sees is sent: all of a request, with data in the place of addresses."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.anthropic_messages import MessagesRequest
from gateway.dialects.openai_responses import ResponsesRequest
from gateway.dialects.relayed_request import RelayedRequest
from gateway.dialects.seeing import load_shown
from gateway.images.loader import ImageLoader
from gateway.settings import LimitsSection, ReasonerSection
from gateway.tenancy.tenants import ANYBODY
from racro.contracts.errors import InvalidRequest, RacroError, UrlForbidden
from support.chat_images import image_parts, result_texts
from support.pictures import data_url, png

LIMITS = LimitsSection()
PNG = png()
BASE64 = base64.b64encode(PNG).decode()
DATA_URL = data_url(PNG)
URL = "https://example.org/a.png"
GONE = "https://example.org/gone.png"
FORBIDDEN = "http://169.254.169.254/a.png"
KINDS = {"messages": MessagesRequest, "responses": ResponsesRequest, "chat": RelayedRequest}
FIELD = {"messages": "messages", "responses": "input", "chat": "messages"}
MARK = {"type": "ephemeral"}
Json = Any


class Fetched:
    """Plays the network: some addresses have an image, and some none."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, url: str, *, param: str) -> bytes:
        self.asked.append(url)
        if url == FORBIDDEN:
            raise UrlForbidden(f"{param}: not there", param=param)
        if url == GONE:
            raise InvalidRequest(f"{param}: it is gone", param=param)
        return PNG


def settings(**more: Any) -> ReasonerSection:
    return ReasonerSection(
        url="http://127.0.0.1:1", model="seeing", text_model="talking", vision=True, **more
    )


async def sent(
    api: str,
    body: Json,
    *,
    limits: LimitsSection = LIMITS,
    fetched: Fetched | None = None,
    **more: Any,
) -> Json:
    """Return the reasoner's request for a client's."""
    request = KINDS[api](json.dumps(body).encode(), follow_up=True, limits=limits)
    loader = ImageLoader(limits, fetched or Fetched())
    section = settings(**more)
    passed = await load_shown(loader, request.shown_images(limits), section, ANYBODY)
    return json.loads(request.for_seeing(section, passed, limits))


def user(*parts: Json) -> dict[str, Json]:
    return {"role": "user", "content": [*parts, {"type": "text", "text": "How high?"}]}


# Where a part with an address may stand, what it is, and what it becomes.
ANTHROPIC = {"type": "base64", "media_type": "image/png", "data": BASE64}
SHAPES: dict[str, tuple[Json, Json]] = {
    "chat": (
        {"type": "image_url", "image_url": {"url": URL, "detail": "low"}, "uuid": "u"},
        {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}, "uuid": "u"},
    ),
    "chat-text": (
        {"type": "image_url", "image_url": URL},
        {"type": "image_url", "image_url": DATA_URL},
    ),
    "untyped": ({"image_url": {"url": URL}}, {"image_url": {"url": DATA_URL}}),
    "beside-a-text": (
        {"type": "text", "text": "This.", "image_url": {"url": URL}},
        {"type": "text", "text": "This.", "image_url": {"url": DATA_URL}},
    ),
    "responses": (
        {"type": "input_image", "image_url": URL, "detail": "auto", "file_id": None},
        {"type": "input_image", "image_url": DATA_URL, "detail": "auto", "file_id": None},
    ),
    "responses-file": (
        {"type": "input_file", "file_url": URL, "filename": "a"},
        {"type": "input_file", "file_data": DATA_URL, "filename": "a"},
    ),
    "messages": (
        {"type": "image", "source": {"type": "url", "url": URL}, "cache_control": MARK},
        {"type": "image", "source": ANTHROPIC, "cache_control": MARK},
    ),
    "messages-document": (
        {"type": "document", "source": {"type": "url", "url": URL}, "title": "A"},
        {"type": "document", "source": ANTHROPIC, "title": "A"},
    ),
    "messages-result": (
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"type": "image", "source": {"type": "url", "url": URL}}],
        },
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"type": "image", "source": ANTHROPIC}],
        },
    ),
    "messages-document-of-parts": (
        {
            "type": "document",
            "source": {
                "type": "content",
                "content": [{"type": "image", "source": {"type": "url", "url": URL}}],
            },
        },
        {
            "type": "document",
            "source": {"type": "content", "content": [{"type": "image", "source": ANTHROPIC}]},
        },
    ),
    "ai-sdk": ({"type": "image", "image": URL}, {"type": "image", "image": DATA_URL}),
    "mcp": (
        {"type": "image", "data": URL, "mimeType": "image/png"},
        {"type": "image", "data": BASE64, "mimeType": "image/png"},
    ),
    "two-contents": (
        {"type": "image", "image_url": DATA_URL, "source": {"type": "url", "url": URL}},
        {"type": "image", "image_url": DATA_URL, "source": ANTHROPIC},
    ),
}


@pytest.mark.parametrize("api", KINDS)
@pytest.mark.parametrize(("part", "becomes"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("role", ["user", "system", "assistant"])
async def test_an_address_becomes_data_in_its_own_shape(api, part, becomes, role) -> None:
    def body(shown: Json) -> Json:
        listed = [{**user(shown), "role": role}, user()]
        return {"model": "a", FIELD[api]: listed, "more": [1.0, None]}

    assert await sent(api, body(part)) == {**body(becomes), "model": "seeing"}


@pytest.mark.parametrize("api", KINDS)
@pytest.mark.parametrize("part", image_parts(PNG).values(), ids=image_parts(PNG))
async def test_data_passes_as_it_is(api, part) -> None:
    body = {"model": "a", FIELD[api]: [user(part), user()], "stream": False}
    assert await sent(api, body) == {**body, "model": "seeing"}


@pytest.mark.parametrize("text", result_texts(PNG).values(), ids=result_texts(PNG))
async def test_a_text_of_a_tool_passes_as_it_is(text) -> None:
    listed = [user(), {"role": "tool", "tool_call_id": "c", "content": text}]
    body = {"model": "a", "messages": listed}
    assert await sent("chat", body) == {**body, "model": "talking"}


async def test_items_of_responses() -> None:
    shot = {"type": "computer_screenshot", "image_url": URL}
    output = {"type": "function_call_output", "call_id": "c"}
    items = [
        {"type": "computer_call_output", "call_id": "c", "output": shot},
        {**output, "output": [{"type": "input_image", "image_url": URL}]},
        {"type": "reasoning", "encrypted_content": "x"},
        user({"type": "input_image", "image_url": URL}),
        {"type": "input_image", "image_url": URL},
    ]
    body = {"model": "a", "input": items, "instructions": "Be brief."}
    expected = json.loads(json.dumps(body).replace(URL, DATA_URL))
    assert await sent("responses", body) == {**expected, "model": "seeing"}


async def test_instructions_of_messages() -> None:
    image = {"type": "image", "source": {"type": "url", "url": URL}}
    body = {"model": "a", "system": [image], "messages": [user()]}
    asked = await sent("messages", body)
    assert asked == {**body, "model": "seeing", "system": [{**image, "source": ANTHROPIC}]}


async def test_images_beside_the_content() -> None:
    images = [URL, BASE64, {"type": "image_url", "image_url": {"url": URL}}]
    body = {"model": "a", "messages": [{"role": "user", "content": "?", "images": images}]}
    [message] = (await sent("chat", body))["messages"]
    assert message["images"] == json.loads(json.dumps(images).replace(URL, DATA_URL))


# What any client sends beside images. Its numbers and names stay what they are.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)  # fmt: skip
FREE = st.text(min_size=1, max_size=8).map(lambda name: f"x_{name}")
SHOWN = [*image_parts(PNG).values(), *(part for part, _ in SHAPES.values())]
PARTS = st.builds(
    lambda part, more: {**more, **part},
    st.sampled_from([*SHOWN, {"type": "text", "text": "a"}]),
    st.dictionaries(FREE, JSON, max_size=2),
)
MESSAGES = st.builds(
    lambda role, parts, more: {**more, "role": role, "content": parts},
    st.sampled_from(["user", "assistant", "tool", "system"]),
    st.lists(PARTS, max_size=3),
    st.dictionaries(FREE, JSON, max_size=2),
)


@given(
    api=st.sampled_from(list(KINDS)),
    messages=st.lists(MESSAGES, max_size=4),
    more=st.dictionaries(FREE, JSON, max_size=3),
)
async def test_everything_else_is_equal_as_json(api, messages, more) -> None:
    """Numbers are compared as they are written: 1.0 is not 1."""
    body = {**more, "model": "a", FIELD[api]: messages}
    asked = await sent(api, body)
    assert written(without_images(asked)) == written(
        {**without_images(body), "model": asked["model"]}
    )
    assert URL not in json.dumps(asked)


def written(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


def without_images(value: Json) -> Json:
    """Return a request in which an address is the data that comes in its place."""
    if isinstance(value, list):
        return [without_images(one) for one in value]
    if not isinstance(value, dict):
        return DATA_URL if value == URL else value
    if value == {"type": "url", "url": URL}:
        return ANTHROPIC
    if value.get("type") == "image" and value.get("data") == URL:
        value = {**value, "data": BASE64}
    if value.get("file_url") == URL:
        value = {("file_data" if name == "file_url" else name): one for name, one in value.items()}
    return {name: without_images(one) for name, one in value.items()}


# Images that are refused.


@pytest.mark.parametrize(
    ("part", "param", "kind"),
    [
        ({"type": "image_url", "image_url": {"url": FORBIDDEN}}, ".image_url", UrlForbidden),
        (
            {"type": "image", "source": {"type": "url", "url": FORBIDDEN}},
            ".source.url",
            UrlForbidden,
        ),
        (
            {"type": "image", "image_url": DATA_URL, "source": {"url": FORBIDDEN}},
            ".source.url",
            UrlForbidden,
        ),
        (
            {"type": "image", "image_url": DATA_URL, "source": {"url": "file:///etc/passwd"}},
            ".source.url",
            RacroError,
        ),
        ({"image_url": FORBIDDEN, "media_type": 1}, "", InvalidRequest),
        ({"type": "video_url", "video_url": {"url": URL}}, "", InvalidRequest),
        ({"type": "input_image", "file_id": "f"}, ".file_id", InvalidRequest),
        (
            {"type": "image_url", "image_url": {"url": "data:;base64,R0lGODlh"}},
            ".image_url",
            RacroError,
        ),
    ],
)
async def test_one_that_is_refused_is_named(part, param, kind) -> None:
    with pytest.raises(kind) as refusal:
        await sent("chat", {"messages": [user(part)]})
    assert refusal.value.param == f"messages[0].content[0]{param}"


async def test_a_nested_one_that_is_refused_is_named() -> None:
    """A document of parts is looked through, where the captioner's walk sees no image."""
    image = {"type": "image", "source": {"type": "url", "url": FORBIDDEN}}
    document = {"type": "document", "source": {"type": "content", "content": [image]}}
    with pytest.raises(UrlForbidden) as refusal:
        await sent("messages", {"messages": [user(document)]})
    assert refusal.value.param == "messages[0].content[0].source.content[0].source.url"


@pytest.mark.parametrize(("gone", "says"), [(GONE, "it is gone"), (FORBIDDEN, "not there")])
async def test_an_earlier_one_that_cannot_be_loaded_becomes_a_line(gone, says) -> None:
    part = {"type": "image_url", "image_url": {"url": gone}, "cache_control": MARK}
    answer = {"role": "assistant", "content": "5"}
    asked = await sent("chat", {"messages": [user(part), answer, user()]})
    line = f"[image: could not be looked at: {says}]"
    assert asked["messages"][0]["content"][0] == {
        "type": "text",
        "cache_control": MARK,
        "text": line,
    }


async def test_one_of_a_result_that_is_at_fault_becomes_a_line() -> None:
    image = {"type": "image", "source": {"type": "url", "url": FORBIDDEN}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [image]}
    asked = await sent("messages", {"messages": [user(result)]})
    [line] = asked["messages"][0]["content"][0]["content"]
    assert line == {"type": "text", "text": "[image: could not be looked at: not there]"}


async def test_where_all_are_noted_so_is_one_of_the_question() -> None:
    part = {"type": "input_image", "image_url": GONE}
    asked = await sent("responses", {"input": [user(part)]}, on_caption_failure="note")
    assert asked["input"][0]["content"][0]["type"] == "input_text"


async def test_a_screenshot_that_is_gone_is_the_output_of_a_function() -> None:
    shot = {"type": "computer_screenshot", "image_url": GONE}
    item = {"type": "computer_call_output", "call_id": "c", "output": shot}
    asked = await sent("responses", {"input": [item]}, on_caption_failure="note")
    [told] = asked["input"]
    assert (told["type"], told["call_id"]) == ("function_call_output", "c")
    assert [one["type"] for one in told["output"]] == ["input_text"]


async def test_one_beside_the_content_that_is_gone_is_left_out() -> None:
    message = {"role": "user", "content": "?", "images": [GONE, BASE64]}
    asked = await sent("chat", {"messages": [message, {"role": "assistant"}, user()]})
    assert asked["messages"][0]["images"] == [BASE64]


# Bounds.


def different(count: int) -> list[Json]:
    urls = [f"https://example.org/{number}.png" for number in range(count)]
    return [{"type": "image_url", "image_url": {"url": url}} for url in urls]


async def test_more_different_images_than_the_limit_are_refused() -> None:
    """Copies are counted once, and fetched once."""
    few = LimitsSection(max_images=2)
    fetched = Fetched()
    images = [*different(2), *different(2)]
    await sent("chat", {"messages": [user(*images)]}, limits=few, fetched=fetched)
    assert len(fetched.asked) == 2
    with pytest.raises(InvalidRequest, match="3 images; max_images = 2"):
        await sent("chat", {"messages": [user(one) for one in different(3)]}, limits=few)


async def test_many_messages_are_no_way_around_the_checks() -> None:
    """Without images other reasoners get as many as a client likes."""
    few = LimitsSection(max_messages=2)
    with pytest.raises(InvalidRequest, match="max_messages = 2"):
        await sent("chat", {"messages": [{"role": "user", "content": "?"}] * 3}, limits=few)


async def test_lists_within_lists_have_a_depth() -> None:
    part: Json = {"type": "image_url", "image_url": {"url": URL}}
    for _ in range(5):
        part = {"type": "tool_result", "content": [part]}
    with pytest.raises(InvalidRequest, match="more than 4 lists of parts deep"):
        await sent("messages", {"messages": [user(part)]})


async def test_a_list_within_a_part_has_a_length() -> None:
    result = {"type": "tool_result", "content": [{"type": "text", "text": "a"}] * 9}
    body = {"messages": [{"role": "user", "content": [result]}]}
    with pytest.raises(InvalidRequest, match="max_parts = 8"):
        await sent("messages", body, limits=LimitsSection(max_parts=8))


@pytest.mark.parametrize("messages", [5, "a", {}, [5], ["a"], [{"content": 5}], [{"content": [5]}]])
async def test_what_has_not_the_api_s_shape_is_the_server_s_to_refuse(messages) -> None:
    assert await sent("chat", {"messages": messages}) == {"messages": messages, "model": "talking"}


def test_it_cannot_be_had_with_a_prompt_of_captions_alone() -> None:
    with pytest.raises(ValueError, match="vision: true cannot be had with prompt_profile"):
        settings(prompt_profile="compact-v1")

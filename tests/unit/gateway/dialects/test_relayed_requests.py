"""What a reasoner is sent of a request: all of it, but the model's name and the pictures."""

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.dialects.anthropic_messages import MessagesRequest
from gateway.dialects.openai_responses import ResponsesRequest
from gateway.dialects.prompting import relevant_turns
from gateway.dialects.relayed_request import RelayedRequest
from gateway.perception.request import Perception
from gateway.reasoning.reasoners import Reasoner
from gateway.reasoning.replicas import Replicas
from gateway.settings import LimitsSection, ReasonerSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.perception import Usage
from support.pictures import data_url, encoded, text_picture
from support.tenants import queue

LIMITS = LimitsSection(max_images=64, max_looks=64)
APIS: dict[str, type[RelayedRequest]] = {
    "chat": RelayedRequest,
    "messages": MessagesRequest,
    "responses": ResponsesRequest,
}
REASONER = Reasoner(
    "default", ReasonerSection(url="http://127.0.0.1:1", model="served"), Replicas([]), queue()
)
CACHED = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
SMALL = encoded(text_picture("k", size=(9, 9)))
PNG = base64.b64encode(SMALL).decode()
DATA_URL = data_url(SMALL)
URL = "https://example.org/a.png"
PDF = base64.b64encode(b"%PDF-1.4\n" + b"x" * 300).decode()
BLOCK = r"(?:<visual_context[^>]*>.*?</visual_context>|\[image [^\]]*\])"


def sent_bytes(api: str, body: bytes, a_context: Any, *, follow_up: bool = False) -> bytes:
    """What the reasoner is sent for a request."""
    request = APIS[api](body, follow_up=follow_up, limits=LIMITS)
    request.image_turns = relevant_turns(request.image_turns, REASONER.settings)
    looks = [turn for turn in request.image_turns if not turn.left_out]
    seen = [Perception(a_context(f"caption {number}"), Usage()) for number in range(len(looks))]
    return request.for_reasoner(REASONER, seen)


def sent(api: str, body: Any, a_context: Any, *, follow_up: bool = False) -> Any:
    return json.loads(sent_bytes(api, json.dumps(body).encode(), a_context, follow_up=follow_up))


# Without pictures.

WORDS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "a \ud83d", "<b>", "data:", "https://example.org/", '{"a": 1}', "[1"]),
)
TYPES = st.sampled_from(
    [
        "text",
        "input_text",
        "output_text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "refusal",
        "tool_result",
        "server_tool_use",
        "web_search_tool_result",
        "search_result",
        "reasoning",
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call_output",
        "mcp_call",
        "item_reference",
        "compaction",
        "local_shell_call_output",
        "of_tomorrow",
    ]
)
ROLES = st.sampled_from(["user", "assistant", "system", "developer", "tool", "of_tomorrow", ""])
NAMES = st.sampled_from(
    [
        "content",
        "text",
        "thinking",
        "signature",
        "data",
        "id",
        "tool_use_id",
        "call_id",
        "output",
        "arguments",
        "name",
        "encrypted_content",
        "summary",
        "cache_control",
        "input",
        "of_tomorrow",
    ]
)
ODD = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-2, 2), WORDS)


def object_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    known = st.fixed_dictionaries({}, optional={"type": TYPES | ODD, "role": ROLES | ODD})
    return st.tuples(st.dictionaries(NAMES, values, max_size=3), known).map(
        lambda p: {**p[0], **p[1]}
    )


JSON = st.recursive(
    ODD, lambda inner: st.one_of(st.lists(inner, max_size=3), object_of(inner)), max_leaves=12
)
FIELDS = st.fixed_dictionaries(
    {"of_tomorrow": JSON},
    optional={
        "messages": JSON | st.lists(object_of(JSON), max_size=4),
        "system": JSON | st.lists(object_of(JSON), max_size=2),
        "input": JSON | st.lists(object_of(JSON), max_size=4),
        "instructions": JSON,
        "tools": JSON,
        "metadata": JSON,
        "model": st.just("default"),
        "stream": st.sampled_from([None, True, False]),
    },
)


@pytest.mark.parametrize("api", APIS)
@given(body=FIELDS)
def test_without_pictures_all_but_the_model_is_as_it_was(api, body, a_context) -> None:
    assert sent(api, body, a_context, follow_up=True) == {**body, "model": "served"}


# With pictures. Each is followed into what was sent: in its place there is a text.

MARK = st.sampled_from([{}, CACHED])


def _with(part: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return MARK.map(lambda mark: {**part, **mark})


def source(**fields: str) -> dict[str, Any]:
    return {"source": fields}


OF_ANTHROPIC = st.one_of(
    _with({"type": "image", **source(type="base64", media_type="image/png", data=PNG)}),
    _with({"type": "image", **source(type="url", url=URL)}),
    _with({"type": "document", **source(type="base64", media_type="application/pdf", data=PDF)}),
    _with({"type": "document", "title": "t", **source(type="url", url="https://x.org/a.pdf")}),
    _with({"type": "document", "title": "t", "context": "a\nb", **source(type="url", url=URL)}),
)
OF_OPENAI = st.one_of(
    st.just({"type": "input_image", "detail": "low", "image_url": DATA_URL}),
    st.just({"type": "input_image", "image_url": URL}),
    st.just({"type": "input_file", "filename": "a.pdf", "file_url": "https://x.org/a.pdf"}),
    st.just({"type": "input_file", "file_data": f"data:application/pdf;base64,{PDF}"}),
)
OF_CHAT = st.one_of(
    _with({"type": "image_url", "image_url": {"url": DATA_URL}}),
    _with({"type": "image_url", "image_url": {"url": URL, "detail": "low"}}),
)
PICTURE_TYPES = {"image", "document", "input_image", "input_file", "image_url"}
HOLDERS = {"source", "image_url", "file_url", "file_data", "data"}
UNSEEN_TYPES = {"thinking", "redacted_thinking", "reasoning", "compaction"}
# Images that stand in the JSON of a tool.
IN_JSON = {"type": "image", "data": PNG, "mimeType": "image/png"}
WRITTEN = st.sampled_from(
    [f"see {DATA_URL} there", json.dumps([{"type": "text", "text": "k"}, IN_JSON]), "none", ""]
)
UNSEEN = st.sampled_from(
    [
        {"type": "thinking", "thinking": f"data:image/png;base64,{PNG}", "signature": PNG},
        {"type": "redacted_thinking", "data": PNG},
        {"type": "audio_url", "audio_url": {"url": "https://example.org/a.mp3"}},
        {"type": "thinking", "thinking": "a \ud83d", "signature": PNG},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "w"}},
        {"type": "document", "title": "t", "source": {"type": "content", "content": [IN_JSON]}},
        {"type": "of_tomorrow", "more": [1, {"x": None}]},
        {"type": "tool_use", "id": "1", "name": "f", "input": {"a": [1, "b"], "type": "image"}},
    ]
)


def parts_of(picture: st.SearchStrategy[Any], text_type: str) -> st.SearchStrategy[Any]:
    text = st.tuples(st.sampled_from(["Look", "a \ud83d", f"see {DATA_URL} there"]), MARK).map(
        lambda pair: {"type": text_type, "text": pair[0], **pair[1]}
    )
    return st.lists(st.one_of(text, picture, UNSEEN, st.just("a string")), min_size=1, max_size=4)


def _messages_bodies() -> st.SearchStrategy[Any]:
    parts = parts_of(OF_ANTHROPIC, "text")
    kinds = st.sampled_from(["tool_result", "mcp_tool_result"])
    result = st.tuples(kinds, parts | WRITTEN, MARK).map(
        lambda p: {"type": p[0], "tool_use_id": "1", "content": p[1], "e": 1, **p[2]}
    )
    content = st.one_of(WRITTEN, parts, st.tuples(st.lists(result, max_size=2), parts).map(sum_of))
    message = st.fixed_dictionaries({"role": ROLES, "content": content, "more": JSON})
    return st.fixed_dictionaries(
        {"max_tokens": st.just(9), "messages": st.lists(message, min_size=1, max_size=4)},
        optional={"system": WRITTEN | parts, "of_tomorrow": JSON},
    )


def sum_of(pair: tuple[list[Any], list[Any]]) -> list[Any]:
    return [*pair[0], *pair[1]]


def _responses_bodies() -> st.SearchStrategy[Any]:
    parts = parts_of(OF_OPENAI, "input_text")
    output = parts | WRITTEN
    screen = {"type": "computer_screenshot", "image_url": DATA_URL}
    item = st.one_of(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "system", "developer"]), "content": output},
            optional={"type": st.just("message"), "id": st.just("i")},
        ),
        output.map(lambda o: {"type": "function_call_output", "call_id": "1", "output": o}),
        output.map(lambda o: {"type": "custom_tool_call_output", "call_id": "1", "output": o}),
        st.just({"type": "computer_call_output", "call_id": "1", "output": screen}),
        WRITTEN.map(lambda o: {"type": "mcp_call", "name": "f", "arguments": "{}", "output": o}),
        st.just({"type": "reasoning", "summary": [], "encrypted_content": PNG}),
        st.just({"type": "compaction", "encrypted_content": PNG}),
        st.just({"type": "of_tomorrow", "x": [{"type": "image"}]}),
        st.just({"role": "assistant", "content": [{"type": "output_text", "text": "k"}]}),
    )
    return st.fixed_dictionaries(
        {"input": st.lists(item, min_size=1, max_size=4) | WRITTEN},
        optional={"instructions": WRITTEN, "of_tomorrow": JSON},
    )


def _is_picture(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("type") not in PICTURE_TYPES:
        return False
    return bool(value.keys() & HOLDERS) and value.get("source", {}).get("type") not in (
        "text",
        "content",
    )


def check(before: Any, after: Any, where: str = "") -> int:
    """Check that all but the pictures is as it was, and return how many there were."""
    kind = before.get("type") if isinstance(before, dict) else None
    if _is_picture(before):
        _check_picture(before, after, where)
        return 1
    if kind == "computer_screenshot":
        _check_picture(before, after[0], where)
        return 1
    if kind == "computer_call_output":
        # No server takes a text in it.
        assert after["type"] == "function_call_output", where
        before = {**before, "type": after["type"]}
    if isinstance(before, str) and (before != after or PNG in before):
        return _check_text(before, after, where)
    assert type(before) is type(after), where
    if isinstance(before, list):
        pairs = enumerate(zip(before, after, strict=True))
        return sum(check(*pair, f"{where}[{number}]") for number, pair in pairs)
    if isinstance(before, dict) and kind not in UNSEEN_TYPES:
        assert list(before) == list(after), where
        return sum(check(before[name], after[name], f"{where}.{name}") for name in before)
    assert before == after, where
    return 0


def _check_picture(before: dict[str, Any], after: Any, where: str) -> None:
    if isinstance(after, str):  # In JSON.
        assert re.fullmatch(BLOCK, after, re.DOTALL), where
        return
    assert after["type"] in {"text", "input_text", "output_text"}, where
    lines = "".join(
        f"{name}: {before[field]}\n"
        for name, field in (("File", "filename"), ("Title", "title"), ("Context", "context"))
        if field in before
    )
    assert re.fullmatch(re.escape(lines) + BLOCK, after["text"], re.DOTALL), where
    assert after.get("cache_control") == before.get("cache_control"), where
    assert after.keys() <= {"type", "text", "cache_control"}, where


def _check_text(before: str, after: str, where: str) -> int:
    try:
        return check(json.loads(before), json.loads(after), f"{where}(JSON)")
    except ValueError:
        pass
    words = [re.escape(one) for one in before.split(DATA_URL)]
    assert len(words) > 1, where
    assert re.fullmatch(rf"\s*{BLOCK}\s*".join(words), after, re.DOTALL), where
    return len(words) - 1


def holds_picture(body: Any) -> bool:
    return any(one in json.dumps(body) for one in (PNG, PDF, "https://"))


QUICK = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def check_sent(api: str, body: dict[str, Any], a_context: Any) -> None:
    assume(holds_picture(body))
    told = sent(api, body, a_context)
    assert told.pop("model") == "served"
    assert told.keys() == body.keys()
    check(body, {name: told[name] for name in body})


@QUICK
@given(body=_messages_bodies())
def test_of_messages_all_but_the_pictures_is_as_it_was(body, a_context) -> None:
    check_sent("messages", body, a_context)


@QUICK
@given(body=_responses_bodies())
def test_of_responses_all_but_the_pictures_is_as_it_was(body, a_context) -> None:
    check_sent("responses", body, a_context)


def chat_bodies() -> st.SearchStrategy[Any]:
    content = WRITTEN | parts_of(OF_CHAT, "text")
    message = st.fixed_dictionaries({"role": ROLES, "content": content})
    return st.fixed_dictionaries({"messages": st.lists(message, min_size=1, max_size=4)})


@given(body=chat_bodies())
def test_of_a_chat_marks_of_the_prompts_cache_stay_in_lists(body, a_context) -> None:
    after = sent("chat", body, a_context)
    for before, told in zip(body["messages"], after["messages"], strict=True):
        # Texts alone become one, whatever they say of a cache: not every server takes a list.
        if isinstance(told["content"], list):
            assert marks_in(told) == marks_in(before)


def marks_in(message: dict[str, Any]) -> int:
    return json.dumps(message).count(json.dumps(CACHED)[1:-1])


# As no encoder of JSON writes it.
STRANGE_BYTES = {
    "messages": [
        b'{ "type":"thinking" ,"thinking":"\\u0061 data:image/png;base64,%b","signature":"\\/%b" }'
        % (PNG.encode(), PNG.encode()),
        b'{"data" :  "%b", "type" :"redacted_thinking"}' % PNG.encode(),
        b'{"thinking":"cut \\ud83d \\uDE00\\u00e9", "type" :"thinking","signature":"a\\/b"}',
        b'{"type":"web_search_tool_result","content":[{"encrypted_content" :\n"%b"}]}'
        % PNG.encode(),
    ],
    "responses": [
        b'{ "type" : "reasoning", "summary":[ ],"encrypted_content":"%b\\u003d" }' % PNG.encode(),
        b'{"encrypted_content" : "%b","type":"compaction"}' % PNG.encode(),
        b'{"type":"of_tomorrow","encrypted_content" : "%b" }' % PNG.encode(),
    ],
}


@pytest.mark.parametrize("follow_up", [False, True])
def test_thoughts_are_the_same_bytes_beside_pictures(a_context, follow_up) -> None:
    blocks = b",".join(STRANGE_BYTES["messages"])
    picture = json.dumps({"type": "image", "source": {"type": "url", "url": URL}}).encode()
    messages = [
        b'{"role":"user","content":[%b,%b]}' % (blocks, picture),
        b'{"role":"assistant","content":[%b]}' % blocks,
        b'{"role":"user","content":[%b,{"type":"text","text":"Why?"}]}' % blocks,
    ]
    body = b'{"messages":[%b]}' % b",".join(messages)
    told = sent_bytes("messages", body, a_context, follow_up=follow_up)
    assert told.count(b"<visual_context") == 1 + follow_up
    assert all(told.count(block) == 3 for block in STRANGE_BYTES["messages"])


def test_reasoning_items_are_the_same_bytes_beside_pictures(a_context) -> None:
    look = {"role": "user", "content": [{"type": "input_image", "image_url": URL}]}
    items = [
        json.dumps(look).encode(),
        *STRANGE_BYTES["responses"],
        b'{"role":"user","content":"W"}',
    ]
    body = b'{"input":[%b]}' % b",".join(items)
    told = sent_bytes("responses", body, a_context, follow_up=True)
    assert told.count(b"<visual_context") == 2
    assert all(told.count(item) == 1 for item in STRANGE_BYTES["responses"])


def test_results_of_tools_stay_the_first_in_a_message(a_context) -> None:
    picture = {"type": "image", "source": {"type": "url", "url": URL}}
    result = {"type": "tool_result", "tool_use_id": "1", "content": "done"}
    look = {"role": "user", "content": [picture]}
    asks = {"role": "user", "content": [result, result, {"type": "text", "text": "Why?", **CACHED}]}
    told = sent("messages", {"messages": [look, asks]}, a_context, follow_up=True)
    content = told["messages"][1]["content"]
    assert content[:2] == [result, result]
    assert content[2]["text"].startswith("<visual_context: image shown earlier")
    assert content[3:] == asks["content"][2:]


def test_parts_of_a_user_may_stand_in_no_message(a_context) -> None:
    text, other = ({"type": "input_text", "text": one, "x": 1} for one in ("How high?", "Why?"))
    link = {"type": "input_image", "image_url": URL}
    file = {"type": "input_file", "filename": "a.pdf", "file_data": PDF}
    items = [text, link, file, other]
    told = sent("responses", {"input": items}, a_context, follow_up=True)["input"]
    assert [one["type"] for one in told] == ["input_text"] * 5
    assert (told[0], told[4]) == (text, other)
    assert re.fullmatch(BLOCK, told[1]["text"], re.DOTALL)
    assert told[2]["text"].startswith("File: a.pdf\n<visual_context")
    # The last words are about the pictures before them.
    assert told[3]["text"].startswith("<visual_context: image shown earlier")
    request = ResponsesRequest(
        json.dumps({"input": items}).encode(), follow_up=False, limits=LIMITS
    )
    questions = [(turn.question, turn.images[0].param) for turn in request.image_turns]
    assert questions == [(None, "input[1].image_url"), (None, "input[2].file_data")]


def test_results_of_tools_stay_before_images_beside_the_content(a_context) -> None:
    picture = {"type": "image", "source": {"type": "url", "url": URL}}
    result = {"type": "tool_result", "tool_use_id": "1", "content": [picture]}
    text = {"type": "text", "text": "Why?", **CACHED}
    asks = {"role": "user", "content": [result, picture, text, result], "images": [PNG]}
    told = sent("messages", {"messages": [asks]}, a_context)["messages"]
    first, beside, later, *others = told[0]["content"]
    assert (first["type"], others[0]) == ("tool_result", text)
    assert first["content"][0]["text"].startswith("<visual_context")
    numbers = [one["text"] for one in (beside, later, others[1]["content"][0])]
    assert [re.search("[0-9]", one)[0] for one in numbers] == ["2", "3", "4"]
    # Where there are none they are the first.
    told = sent("messages", {"messages": [{**asks, "content": "Why?"}]}, a_context)["messages"]
    assert told[0]["content"].endswith("</visual_context>\nWhy?")
    assert told[0].keys() == {"role", "content"}


def test_words_alone_have_the_context_of_a_later_question_before_them(a_context) -> None:
    picture = {"type": "input_image", "image_url": URL}
    items = [{"role": "user", "content": [picture]}, {"role": "user", "content": "Why?"}]
    told = sent("responses", {"input": items}, a_context, follow_up=True)["input"][1]["content"]
    assert re.fullmatch(rf"{BLOCK}\nWhy\?", told, re.DOTALL)


BAD_PLACES: dict[str, tuple[str, Any, str]] = {
    "a video": (
        "messages",
        {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
        "messages[0].content[0]",
    ),
    "a file's id": (
        "messages",
        {"messages": [{"content": ["a", {"type": "image", "source": {"file_id": "f"}}]}]},
        "messages[0].content[1].source.file_id",
    ),
    "instructions": ("messages", {"system": [{"type": "image"}]}, "system[0]"),
    "the id of an item's file": (
        "responses",
        {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
        "input[0].content[0].file_id",
    ),
    "of an output": (
        "responses",
        {"input": [{"type": "custom_tool_call_output", "output": [{"type": "input_file"}]}]},
        "input[0].output[0]",
    ),
}


@pytest.mark.parametrize(("api", "body", "param"), BAD_PLACES.values(), ids=BAD_PLACES)
def test_what_cannot_be_seen_is_named_by_its_place(api, body, param) -> None:
    request = APIS[api](json.dumps(body).encode(), follow_up=True, limits=LIMITS)
    [refused] = [one.refusal for turn in request.image_turns for one in turn.images]
    assert isinstance(refused, InvalidRequest)
    assert refused.param == param


MANY_FIELDS = {f"f{number}": number for number in range(200)}


@pytest.mark.parametrize(
    ("api", "body", "param"),
    [
        (
            "messages",
            {
                "system": "Be brief.",
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": DATA_URL, **MANY_FIELDS}]}
                ],
            },
            "messages[0]",
        ),
        (
            "responses",
            {
                "instructions": "Be brief.",
                "input": [
                    {
                        "type": "function_call_output",
                        "output": [{"type": "input_image", "image_url": DATA_URL}],
                        **MANY_FIELDS,
                    }
                ],
            },
            "input[0]",
        ),
    ],
)
def test_very_many_fields_are_refused_by_their_place(api, body, param, a_context) -> None:
    request = APIS[api](json.dumps(body).encode(), follow_up=True, limits=LIMITS)
    with pytest.raises(InvalidRequest, match="more fields than 128") as refusal:
        request.for_reasoner(REASONER, [Perception(a_context("c"), Usage())])
    assert refusal.value.param == param


def test_an_input_that_is_an_object_with_an_image_is_refused() -> None:
    item = {"role": "user", "content": [{"type": "input_image", "image_url": DATA_URL}]}
    with pytest.raises(InvalidRequest, match="not the shape of this API"):
        APIS["responses"](json.dumps({"input": item}).encode(), follow_up=True, limits=LIMITS)

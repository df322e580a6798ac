"""The chats that are asked for requests of other dialects."""

from typing import Any

import pytest

from racro.contracts.errors import InvalidRequest
from services.reasoner import messages_request, responses_request

Json = dict[str, Any]
SCHEMA = {"type": "object"}


def of_message(**body: Any) -> Json:
    return messages_request.as_chat({"messages": [{"role": "user", "content": "Hi"}], **body})


def of_response(**body: Any) -> Json:
    return responses_request.as_chat({"input": "Hi", **body})


def call(call_id: str, arguments: str) -> Json:
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": arguments}}


def test_a_conversation_of_messages() -> None:
    chat = of_message(
        system=[{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": "Find it."},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "text", "text": "42"}],
                    },
                    {"type": "text", "text": "And?"},
                    {"type": "unheard_of"},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t2"}]},
        ],
    )
    text = {"type": "text"}
    assert chat["messages"] == [
        {"role": "system", "content": [text | {"text": "Be short."}]},
        {"role": "user", "content": "Find it."},
        {
            "role": "assistant",
            "content": [text | {"text": "I look."}],
            "tool_calls": [call("t1", '{"a":1}')],
            "reasoning_content": "Hm.",
        },
        {"role": "tool", "tool_call_id": "t1", "content": [text | {"text": "42"}]},
        {"role": "user", "content": [text | {"text": "And?"}]},
        {"role": "tool", "tool_call_id": "t2", "content": ""},
    ]


def document(**source: Any) -> Json:
    return {"type": "document", "title": "t", "source": source}


TEXT = {"type": "text", "text": "42"}
FOUND = {"type": "search_result", "source": "https://example.org", "title": "t", "content": [TEXT]}


@pytest.mark.parametrize(
    "part",
    [
        document(type="text", media_type="text/plain", data="42"),
        document(type="content", content="42"),
        document(type="content", content=[TEXT]),
        FOUND,
    ],
    ids=str,
)
def test_the_text_of_documents_and_search_results_is_read(part: Json) -> None:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [part]}
    chat = of_message(messages=[{"role": "user", "content": [result, part]}])
    assert chat["messages"] == [
        {"role": "tool", "tool_call_id": "t1", "content": [TEXT]},
        {"role": "user", "content": [TEXT]},
    ]


def test_a_conversation_of_responses() -> None:
    output = [{"type": "input_text", "text": "42"}]
    chat = of_response(
        instructions="Be short.",
        input=[
            {"role": "developer", "content": [{"type": "input_text", "text": "In English."}]},
            {"type": "message", "role": "user", "content": "Find it."},
            {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"},
            {"type": "reasoning", "summary": [], "content": [{"text": "Hm."}]},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
            },
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "41"},
            {"type": "function_call_output", "call_id": "c2", "output": output},
            {"type": "web_search_call", "id": "ws"},
            {"role": "assistant", "content": "One."},
            {"role": "assistant", "content": "Two."},
        ],
    )
    text = {"type": "text"}
    assert chat["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "system", "content": [text | {"text": "In English."}]},
        {"role": "user", "content": "Find it."},
        {
            "role": "assistant",
            "content": [text | {"text": "I look."}],
            "reasoning_content": "Hm.",
            "tool_calls": [call("c1", "{}"), call("c2", "{}")],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "41"},
        {"role": "tool", "tool_call_id": "c2", "content": [text | {"text": "42"}]},
        {"role": "assistant", "content": "One."},
        {"role": "assistant", "content": "Two."},
    ]


def test_options_of_messages() -> None:
    chat = of_message(
        max_tokens=8,
        temperature=0,
        top_k=None,
        stop_sequences=["END"],
        thinking={"type": "enabled", "budget_tokens": 99},
        tools=[{"name": "f", "input_schema": SCHEMA}, {"type": "web_search_20250305"}],
        tool_choice={"type": "any"},
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        metadata={"user_id": "u"},
        seed=3,
        n=2,
    )
    del chat["messages"]
    function = {"name": "f", "description": "", "parameters": SCHEMA}
    assert chat == {
        "max_tokens": 8,
        "temperature": 0,
        "stop": ["END"],
        "thinking_budget_tokens": 99,
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "required",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA},
        },
        "seed": 3,
    }


def test_options_of_responses() -> None:
    chat = of_response(
        max_output_tokens=8,
        temperature=0,
        reasoning={"effort": "low", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}},
        tools=[{"type": "function", "name": "f", "parameters": SCHEMA}, {"type": "web_search"}],
        tool_choice={"type": "function", "name": "f"},
        parallel_tool_calls=False,
        store=False,
        include=["reasoning.encrypted_content"],
        previous_response_id=None,
        seed=3,
        n=2,
    )
    del chat["messages"]
    assert chat == {
        "max_tokens": 8,
        "temperature": 0,
        "reasoning_effort": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": SCHEMA, "strict": True},
        },
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "seed": 3,
    }


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aa"}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}


def of_user(part: Json) -> Json:
    return {"messages": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [7]}, "messages"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]},
         "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": ["x"]}]}]},
         "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages[0].content[0]"),
        (of_user(document(type="base64", media_type="application/pdf", data="aa")),
         "messages[0].content[0]"),
        (of_user(document(type="text")), "messages[0].content[0].source.data"),
        (of_user(document(type="content", content=[IMAGE])),
         "messages[0].content[0].source.content[0]"),
        (of_user(document(type="content", content=[document(type="text", data="42")])),
         "messages[0].content[0].source.content[0]"),
        (of_user({"type": "document", "source": 7}), "messages[0].content[0].source"),
        (of_user(FOUND | {"content": 7}), "messages[0].content[0].content"),
        ({"messages": [{"role": "user", "content": [RESULT]}]},
         "messages[0].content[0].content[0]"),
        ({"system": 7}, "system"),
        ({"tools": 7}, "tools"),
        ({"thinking": 7}, "thinking"),
        ({"output_config": {"format": 7}}, "output_config.format"),
    ],
    ids=str,
)  # fmt: skip
def test_what_no_message_is(body: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        of_message(**body)
    assert refusal.value.param == param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": [{"role": 7}]}, "input[0].role"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
         "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": ["x"]}]}]},
         "input[0].content[0].type"),
        ({"tools": [{"type": "function", "name": "f"}], "tool_choice": ["x"]}, "tool_choice"),
        ({"input": [{"type": "function_call"}]}, "input[0].arguments"),
        ({"input": [{"type": "reasoning", "content": 7}]}, "input[0].content"),
        ({"instructions": 7}, "instructions"),
        ({"text": {"format": 7}}, "text.format"),
        ({"previous_response_id": "x"}, "previous_response_id"),
        ({"conversation": "x"}, "conversation"),
        ({"background": True}, "background"),
    ],
    ids=str,
)  # fmt: skip
def test_what_no_response_can_be_made_of(body: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        of_response(**body)
    assert refusal.value.param == param

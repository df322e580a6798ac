"""Scripted answers that call a tool, in each of the three APIs."""

import json
from typing import Any

from support.dialect_answers import message, message_events, response, response_events
from support.scripted import Script

Json = dict[str, Any]

CALL_ID = "call_1"
_COUNTS = {"prompt_tokens": 7, "completion_tokens": 3}


def chat_call(name: str, arguments: Json) -> Script:
    """An answer of OpenAI's chat API, whole and in chunks."""
    call = {
        "id": CALL_ID,
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
    }
    head = {"id": "chatcmpl-1", "created": 1, "model": "scripted"}
    said: Json = {"role": "assistant", "content": None, "tool_calls": [call]}
    usage = {**_COUNTS, "total_tokens": 10}
    plain = {
        **head,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": said, "finish_reason": "tool_calls"}],
        "usage": usage,
    }
    delta = {**said, "tool_calls": [{**call, "index": 0}]}
    chunks = [
        {**head, "object": "chat.completion.chunk", "choices": [{"index": 0, **choice}]}
        for choice in (
            {"delta": delta, "finish_reason": None},
            {"delta": {}, "finish_reason": "tool_calls"},
        )
    ]
    return Script(plain=plain, chunks=chunks)


def message_call(name: str, arguments: Json) -> Script:
    """An answer of Anthropic's messages API, whole and as events."""
    use = {"type": "tool_use", "id": f"toolu_{CALL_ID}", "name": name, "input": arguments}
    plain = {**message("", **_COUNTS), "content": [use], "stop_reason": "tool_use"}
    events = message_events([json.dumps(arguments)], **_COUNTS)
    begun, block, delta, stopped, ended, last = events
    block |= {"content_block": {**use, "input": {}}}
    delta |= {"delta": {"type": "input_json_delta", "partial_json": json.dumps(arguments)}}
    ended |= {"delta": {"stop_reason": "tool_use", "stop_sequence": None}}
    return Script(plain=plain, chunks=[begun, block, delta, stopped, ended, last])


def response_call(name: str, arguments: Json) -> Script:
    """An answer of OpenAI's responses API, whole and as events."""
    written = json.dumps(arguments)
    item = {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": CALL_ID,
        "name": name,
        "arguments": written,
    }
    plain = {**response("", **_COUNTS), "output": [item]}
    created, in_progress, *_, completed = response_events([""], **_COUNTS)
    begun = {**item, "status": "in_progress", "arguments": ""}
    place = {"item_id": "fc_1", "output_index": 0}
    events = [
        created,
        in_progress,
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        {"type": "response.function_call_arguments.delta", **place, "delta": written},
        {"type": "response.function_call_arguments.done", **place, "arguments": written},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {**completed, "response": plain},
    ]
    chunks = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    return Script(plain=plain, chunks=chunks)

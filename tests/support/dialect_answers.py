"""Answers of servers of OpenAI's responses and Anthropic's messages, whole and as events."""

from typing import Any

Json = dict[str, Any]


def message(text: str, *, prompt_tokens: int, completion_tokens: int) -> Json:
    """A plain answer of Anthropic's API."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": prompt_tokens, "output_tokens": completion_tokens},
    }


def message_events(texts: list[str], *, prompt_tokens: int, completion_tokens: int) -> list[Json]:
    """The events of a streamed answer of Anthropic's API."""
    whole = message("", prompt_tokens=prompt_tokens, completion_tokens=0)
    begun = {**whole, "content": [], "stop_reason": None}
    deltas = [
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": text},
        }
        for text in texts
    ]
    block = {"type": "text", "text": ""}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"input_tokens": prompt_tokens, "output_tokens": completion_tokens},
        },
        {"type": "message_stop"},
    ]


def response(text: str, *, prompt_tokens: int, completion_tokens: int) -> Json:
    """A plain answer of OpenAI's responses API."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "scripted",
        "output": [_item(text, "completed")],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def response_events(texts: list[str], *, prompt_tokens: int, completion_tokens: int) -> list[Json]:
    """The events of a streamed answer of OpenAI's responses API."""
    text = "".join(texts)
    whole = response(text, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**_item("", "in_progress"), "content": []},
        },
        {"type": "response.content_part.added", **place, "part": _part("")},
        *(
            {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
            for piece in texts
        ),
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": _part(text)},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": _item(text, "completed"),
        },
        {"type": "response.completed", "response": whole},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _item(text: str, status: str) -> Json:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [_part(text)],
    }


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": []}

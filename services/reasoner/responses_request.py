"""Reads an OpenAI responses request into the chat that is asked of the engine."""

from collections.abc import Iterator
from typing import Any

from racro.contracts.errors import InvalidRequest
from services.reasoner.dialect_fields import (
    Json,
    object_of,
    objects,
    text_of,
    texts,
    tool_call,
    without,
)

# What would need an earlier response, or to keep this one.
_KEPT = ("previous_response_id", "conversation", "background", "prompt")
# Those that are read here or say nothing to a model, and those that only a chat has.
_READ = frozenset(
    {
        *_KEPT, "input", "instructions", "max_output_tokens", "text", "reasoning", "tools",
        "tool_choice", "parallel_tool_calls", "include", "store", "metadata", "truncation", "user",
        "messages", "n", "stream_options", "logprobs", "top_logprobs",
    }
)  # fmt: skip
_ROLES = {"developer": "system"}


def as_chat(body: Json) -> Json:
    """Return the chat of a request; fields that responses do not know go on.

    Raises InvalidRequest, also for what needs an earlier response: none is kept.
    """
    for field in _KEPT:
        if body.get(field):
            raise InvalidRequest(f"{field}: no response is kept here", param=field)
    return {**without(body, _READ), **_options(body), "messages": [*_messages(body)]}


def _messages(body: Json) -> Iterator[Json]:
    if instructions := body.get("instructions"):
        yield {"role": "system", "content": text_of(instructions, "instructions")}
    asked = body.get("input")
    if not asked:
        raise InvalidRequest("input: a text or a list of items is needed", param="input")
    if isinstance(asked, str):
        yield {"role": "user", "content": asked}
        return
    yield from _joined(_items(objects(asked, "input")))


def _items(items: list[Json]) -> Iterator[Json]:
    """Yield a message for each item that is one, or a part of one."""
    for number, item in enumerate(items):
        where, kind = f"input[{number}]", item.get("type")
        if kind == "item_reference":
            raise InvalidRequest(f"{where}: no response is kept here", param=where)
        if kind == "function_call":
            arguments = text_of(item.get("arguments"), f"{where}.arguments")
            call = tool_call(item.get("call_id"), item.get("name"), arguments)
            yield {"role": "assistant", "content": "", "tool_calls": [call]}
        elif kind == "function_call_output":
            said = texts(item.get("output"), f"{where}.output")
            yield {"role": "tool", "tool_call_id": item.get("call_id"), "content": said}
        elif kind == "reasoning":
            yield from _thoughts(item, where)
        elif "role" in item:
            role = text_of(item["role"], f"{where}.role")
            said = texts(item.get("content"), f"{where}.content")
            yield {"role": _ROLES.get(role, role), "content": said}


def _thoughts(item: Json, where: str) -> Iterator[Json]:
    """Yield the thoughts of an item; those that are encrypted or summed up are left out."""
    parts = objects(item.get("content") or [], f"{where}.content")
    if thoughts := "".join(part["text"] for part in parts if isinstance(part.get("text"), str)):
        yield {"role": "assistant", "content": "", "reasoning_content": thoughts}


def _joined(messages: Iterator[Json]) -> Iterator[Json]:
    """Join what one turn of the assistant consists of: thoughts, a text, and calls."""
    turn: Json | None = None
    for message in messages:
        if turn is not None and not _continues(turn, message):
            yield turn
            turn = None
        if message["role"] != "assistant":
            yield message
        elif turn is None:
            turn = message
        else:
            calls = [*turn.get("tool_calls", ()), *message.get("tool_calls", ())]
            turn |= {name: value for name, value in message.items() if value}
            if calls:
                turn["tool_calls"] = calls
    if turn is not None:
        yield turn


def _continues(turn: Json, message: Json) -> bool:
    """Tell whether a message is of the same turn, which has a text once, and calls at its end."""
    if message["role"] != "assistant":
        return False
    return "tool_calls" in message or not (turn["content"] or "tool_calls" in turn)


def _options(body: Json) -> Json:
    options: Json = {}
    if (most := body.get("max_output_tokens")) is not None:
        options["max_tokens"] = most
    if effort := object_of(body.get("reasoning"), "reasoning").get("effort"):
        options["reasoning_effort"] = effort
    text = object_of(body.get("text"), "text")
    form = object_of(text.get("format"), "text.format")
    if form.get("type") == "json_object":
        options["response_format"] = {"type": "json_object"}
    elif form.get("type") == "json_schema":
        schema = {name: form[name] for name in ("name", "schema", "strict") if name in form}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    tools = objects(body.get("tools") or [], "tools")
    functions = [without(tool, {"type"}) for tool in tools if tool.get("type") == "function"]
    if functions:
        options["tools"] = [{"type": "function", "function": one} for one in functions]
        options["tool_choice"] = _choice(body.get("tool_choice"))
        if "parallel_tool_calls" in body:
            options["parallel_tool_calls"] = body["parallel_tool_calls"]
    return options


def _choice(choice: Any) -> str:
    if isinstance(choice, dict):
        return "required" if choice.get("type") == "function" else "auto"
    chosen = text_of(choice or "auto", "tool_choice")
    return chosen if chosen in {"none", "required"} else "auto"

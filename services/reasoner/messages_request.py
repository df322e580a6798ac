"""Reads an Anthropic messages request into the chat that is asked of the engine."""

from collections.abc import Iterator
from typing import Any

from racro.contracts.errors import InvalidRequest
from racro.servekit.responses import encode
from services.reasoner.dialect_fields import (
    Json,
    object_of,
    objects,
    text_of,
    texts,
    tool_call,
    without,
)

# Those that are read here, and those of a chat that messages do not have.
_READ = frozenset(
    {
        "messages", "system", "stop_sequences", "tools", "tool_choice", "thinking", "metadata",
        "output_config", "n", "stream_options", "logprobs", "top_logprobs",
    }
)  # fmt: skip
_TOOL_CHOICES = {"any": "required", "tool": "required", "none": "none"}


def as_chat(body: Json) -> Json:
    """Return the chat of a request; fields that messages do not know go on.

    Raises InvalidRequest.
    """
    if not body.get("messages"):
        raise InvalidRequest("messages: at least one message is needed", param="messages")
    messages = [*_system(body.get("system"))]
    for number, message in enumerate(objects(body["messages"], "messages")):
        messages += _messages(message, f"messages[{number}]")
    return {**without(body, _READ), **_options(body), "messages": messages}


def _system(system: Any) -> Iterator[Json]:
    if system:
        yield {"role": "system", "content": texts(system, "system")}


def _messages(message: Json, where: str) -> Iterator[Json]:
    """Yield what a message becomes: results of tools have messages of their own.

    A user's come before the text: they answer the calls of the message before.
    """
    role, content = text_of(message.get("role"), f"{where}.role"), message.get("content")
    where = f"{where}.content"
    parts = [] if isinstance(content, str | None) else objects(content, where)
    said: Json = {"role": role, "content": texts(content, where)}
    if calls := [*_calls(parts)]:
        said["tool_calls"] = calls
    thoughts = [one["thinking"] for one in parts if isinstance(one.get("thinking"), str)]
    if thoughts:
        said["reasoning_content"] = "".join(thoughts)
    results = [*_results(parts, where)]
    says = [said] if said["content"] or calls or thoughts or not results else []
    yield from (*results, *says) if role == "user" else (*says, *results)


def _calls(parts: list[Json]) -> Iterator[Json]:
    for part in parts:
        if part.get("type") == "tool_use":
            arguments = encode(part.get("input") or {}).decode()
            yield tool_call(part.get("id"), part.get("name"), arguments)


def _results(parts: list[Json], where: str) -> Iterator[Json]:
    for number, part in enumerate(parts):
        if part.get("type") == "tool_result":
            said = texts(part.get("content"), f"{where}[{number}].content")
            yield {"role": "tool", "tool_call_id": part.get("tool_use_id"), "content": said}


def _options(body: Json) -> Json:
    options: Json = {}
    if stop := body.get("stop_sequences"):
        options["stop"] = stop
    if tools := body.get("tools"):
        options["tools"] = [_tool(tool) for tool in objects(tools, "tools") if "name" in tool]
        kind = object_of(body.get("tool_choice"), "tool_choice").get("type")
        options["tool_choice"] = _TOOL_CHOICES.get(str(kind), "auto")
    thinking = object_of(body.get("thinking"), "thinking")
    if thinking.get("type") == "enabled" and "budget_tokens" in thinking:
        options["thinking_budget_tokens"] = thinking["budget_tokens"]
    output = object_of(body.get("output_config"), "output_config")
    form = object_of(output.get("format"), "output_config.format")
    if form.get("type") == "json_schema":
        schema = {"name": "answer", "schema": form.get("schema")}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    return options


def _tool(tool: Json) -> Json:
    described = {
        "name": tool["name"],
        "description": tool.get("description") or "",
        "parameters": tool.get("input_schema") or {"type": "object"},
    }
    return {"type": "function", "function": described}

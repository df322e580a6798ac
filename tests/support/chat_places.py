"""Where a picture may stand in a chat: in any role, and in the shapes of several APIs."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

from support.pictures import data_url

Messages = list[dict[str, Any]]
Place = Callable[[bytes, str], Messages]
_CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "screenshot", "arguments": "{}"}}
    ],
}


def new_question() -> str:
    """Return one that was never asked: nothing comes out of the cache."""
    return f"What is it? {uuid.uuid4().hex}"


def _asking() -> dict[str, Any]:
    return {"role": "user", "content": new_question()}


def _image_url(data: bytes, media_type: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": data_url(data, media_type)}}


def _of_role(role: str) -> Place:
    def place(data: bytes, media_type: str) -> Messages:
        return [{"role": role, "content": [_image_url(data, media_type)]}, _asking()]

    return place


def _as_part(part: Callable[[bytes, str], dict[str, Any]]) -> Place:
    def place(data: bytes, media_type: str) -> Messages:
        text = {"type": "text", "text": new_question()}
        return [{"role": "user", "content": [text, part(data, media_type)]}]

    return place


def _as_result(content: Callable[[bytes, str], Any]) -> Place:
    def place(data: bytes, media_type: str) -> Messages:
        result = {"role": "tool", "tool_call_id": "call_1", "content": content(data, media_type)}
        return [_asking(), _CALL, result]

    return place


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _anthropic(data: bytes, media_type: str) -> dict[str, Any]:
    source = {"type": "base64", "media_type": media_type, "data": _encoded(data)}
    return {"type": "image", "source": source}


def _file(data: bytes, media_type: str) -> dict[str, Any]:
    return {"type": "file", "file": {"filename": "a", "file_data": data_url(data, media_type)}}


def _input_image(data: bytes, media_type: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": data_url(data, media_type)}


def _of_ai_sdk(data: bytes, media_type: str) -> str:
    """Return how the AI SDK sends a tool's result of several parts to OpenAI's chat API."""
    media = {"type": "media", "data": _encoded(data), "mediaType": media_type}
    return json.dumps([{"type": "text", "text": "the screen"}, media])


def _of_mcp(data: bytes, media_type: str) -> str:
    image = {"type": "image", "data": _encoded(data), "mimeType": media_type}
    return json.dumps({"content": [image], "isError": False})


def _beside(data: bytes, _: str) -> Messages:
    return [{**_asking(), "images": [_encoded(data)]}]


PLACES: dict[str, Place] = {
    "user": _as_part(_image_url),
    "system": _of_role("system"),
    "developer": _of_role("developer"),
    "assistant": _of_role("assistant"),
    "tool result": _as_result(lambda data, media_type: [_image_url(data, media_type)]),
    "tool result as JSON, of the AI SDK": _as_result(_of_ai_sdk),
    "tool result as JSON, of MCP": _as_result(_of_mcp),
    "tool result, as a data URL in JSON": _as_result(
        lambda data, media_type: json.dumps({"image": data_url(data, media_type)})
    ),
    "file": _as_part(_file),
    "input_image": _as_part(_input_image),
    "image of Anthropic's": _as_part(_anthropic),
    "images of Ollama's": _beside,
}

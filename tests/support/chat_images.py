"""Where an image may stand in a chat, as clients of several APIs write it."""

import base64
import json
from typing import Any

from support.pictures import data_url


def image_parts(data: bytes, media_type: str = "image/png") -> dict[str, dict[str, Any]]:
    """Return a picture as a part of a message's content, in every shape without a URL to fetch."""
    alone, url = base64.b64encode(data).decode(), data_url(data, media_type)
    source = {"type": "base64", "media_type": media_type, "data": alone}
    return {
        "chat": {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
        "chat-text": {"type": "image_url", "image_url": url},
        "chat-file": {"type": "file", "file": {"filename": "a.png", "file_data": url}},
        "chat-file-base64": {"type": "file", "file": {"filename": "a.png", "file_data": alone}},
        "responses": {"type": "input_image", "image_url": url, "detail": "auto"},
        "responses-file": {"type": "input_file", "filename": "a.png", "file_data": url},
        "messages": {"type": "image", "source": source},
        "messages-document": {"type": "document", "source": source},
        "ai-sdk": {"type": "image", "image": alone, "mediaType": media_type},
        "ai-sdk-url": {"type": "image", "image": url},
        "ai-sdk-file": {"type": "file", "data": alone, "mediaType": media_type},
        "mcp": {"type": "image", "data": alone, "mimeType": media_type},
        "langchain": {"type": "image", "base64": alone, "mime_type": media_type},
        "mistral": {"type": "document_url", "document_url": url},
        "computer-use": {"type": "computer_screenshot", "image_url": url},
        "camel-case": {"type": "imageUrl", "imageUrl": {"url": url}},
        "gemini": {"inline_data": {"mime_type": media_type, "data": alone}},
    }


def result_texts(data: bytes, media_type: str = "image/png") -> dict[str, str]:
    """Return a picture within the text of a tool's result."""
    alone, url = base64.b64encode(data).decode(), data_url(data, media_type)
    media = {"type": "media", "data": alone, "mediaType": media_type}
    mcp = {"content": [{"type": "image", "data": alone, "mimeType": media_type}], "isError": False}
    return {
        "ai-sdk": json.dumps([{"type": "text", "text": "taken"}, media]),
        "ai-sdk-content": json.dumps({"type": "content", "value": [media]}),
        "mcp": json.dumps(mcp),
        "mcp-within-text": json.dumps([{"type": "text", "text": json.dumps(mcp)}]),
        "data-url-in-json": json.dumps({"ok": True, "screenshot": url}),
        "data-url": url,
        "compact": json.dumps(mcp, separators=(",", ":")),
        "indented": json.dumps(mcp, indent=2),
    }

"""Anthropic's messages API as /openapi.json shows it. Requests are not validated by this.

Their fields reach the reasoner as they came, so every object may have more than are named here.
"""

from typing import Any, Literal

from pydantic import Field

from racro.contracts.openai import OpenModel


class TextBlock(OpenModel):
    type: Literal["text"]
    text: str


class Source(OpenModel):
    type: Literal["base64", "url", "text", "content"]
    media_type: str | None = None
    data: str | None = Field(default=None, description="Base64, or a document's text.")
    url: str | None = None


class ImageBlock(OpenModel):
    """An image or a PDF, of which the reasoner gets the caption that is made for the question."""

    type: Literal["image", "document"]
    source: Source


class ToolResultBlock(OpenModel):
    type: Literal["tool_result"]
    tool_use_id: str
    content: str | list[TextBlock | ImageBlock] | None = None


class OtherBlock(OpenModel):
    """A block for the reasoner alone, such as the thinking of an earlier answer."""

    type: str


class AnthropicMessage(OpenModel):
    role: Literal["user", "assistant"]
    content: str | list[TextBlock | ImageBlock | ToolResultBlock | OtherBlock]


class CountTokensRequest(OpenModel):
    """A prompt of Anthropic's messages API; fields not named here reach the reasoner too."""

    model: str = Field(default="default", description="A name that GET /v1/models lists.")
    messages: list[AnthropicMessage]
    system: str | list[TextBlock] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None


class MessagesRequest(CountTokensRequest):
    """A request of Anthropic's messages API; fields not named here reach the reasoner too."""

    max_tokens: int
    stream: bool = Field(default=False, description="Answer with server-sent events.")
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None


class MessagesAnswer(OpenModel):
    """The reasoner's answer, as its server gave it."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    content: list[dict[str, Any]]
    stop_reason: str | None
    usage: dict[str, Any]


class TokenCount(OpenModel):
    input_tokens: int

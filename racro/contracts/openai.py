"""OpenAI's chat API as /openapi.json shows it. Requests are not validated by this.

The services read the few fields that they act on and pass all others to the reasoner as they came,
so every object may have more fields than are named here.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class OpenModel(BaseModel):
    """An object that may have more fields than are named."""

    model_config = ConfigDict(extra="allow")


class TextPart(OpenModel):
    type: Literal["text"]
    text: str


class ImageUrl(OpenModel):
    url: str = Field(description="A data URL (base64) or an http(s) URL.")


class ImagePart(OpenModel):
    """An image, of which the reasoner gets the caption that is made for the question."""

    type: Literal["image_url"]
    image_url: ImageUrl


class OtherPart(OpenModel):
    """An image or a PDF in the shape of another API, or a part for the reasoner, such as audio."""

    type: str


class ChatMessage(OpenModel):
    role: str = Field(description="system, developer, user, assistant, tool or function.")
    content: str | list[TextPart | ImagePart | OtherPart] | None = None
    images: list[str | ImagePart] | None = Field(
        default=None, description="Images beside the content, as base64 or data URLs."
    )


class StreamOptions(OpenModel):
    include_usage: bool = False


class ChatCompletionRequest(OpenModel):
    """A chat request of OpenAI's API; fields that are not named here reach the reasoner too."""

    model: str = Field(default="default", description="A name that GET /v1/models lists.")
    messages: list[ChatMessage]
    stream: bool = Field(default=False, description="Answer with server-sent events.")
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    logprobs: bool | None = None


class AssistantMessage(OpenModel):
    role: Literal["assistant"]
    content: str | None
    reasoning_content: str | None = Field(
        default=None, description="What the reasoner thought, where its server tells it apart."
    )
    tool_calls: list[dict[str, Any]] | None = None


class ChatChoice(OpenModel):
    index: int
    message: AssistantMessage
    finish_reason: str | None


class ChatUsage(OpenModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(OpenModel):
    """The reasoner's answer, as its server gave it."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage | None = None

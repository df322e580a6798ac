"""OpenAI's responses API as /openapi.json shows it. Requests are not validated by this.

Their fields reach the reasoner as they came, so every object may have more than are named here.
"""

from typing import Any, Literal

from pydantic import Field

from racro.contracts.openai import OpenModel


class InputText(OpenModel):
    type: Literal["input_text", "output_text"]
    text: str


class InputImage(OpenModel):
    """An image, of which the reasoner gets the caption that is made for the question."""

    type: Literal["input_image"]
    image_url: str = Field(description="A data URL (base64) or an http(s) URL.")


class InputFile(OpenModel):
    """A PDF, whose pages are seen as images."""

    type: Literal["input_file"]
    file_data: str | None = Field(default=None, description="A data URL (base64).")
    file_url: str | None = None


class InputItem(OpenModel):
    """A message, or the call of a tool or what it gave."""

    type: str | None = None
    role: str | None = Field(default=None, description="system, developer, user or assistant.")
    content: str | list[InputText | InputImage | InputFile] | None = None
    output: str | list[InputText | InputImage | InputFile] | None = Field(
        default=None, description="What a tool gave."
    )


class ResponseRequest(OpenModel):
    """A request of OpenAI's responses API; fields not named here reach the reasoner too."""

    model: str = Field(default="default", description="A name that GET /v1/models lists.")
    input: str | list[InputItem]
    instructions: str | None = None
    stream: bool = Field(default=False, description="Answer with server-sent events.")
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    text: dict[str, Any] | None = None


class ResponseAnswer(OpenModel):
    """The reasoner's answer, as its server gave it."""

    id: str
    object: Literal["response"]
    status: str
    output: list[dict[str, Any]]
    usage: dict[str, Any] | None = None

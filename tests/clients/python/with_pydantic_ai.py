"""pydantic-ai, by `chat`, `responses` or `messages`, as is said behind the picture."""

import asyncio

from given import BASE_URL, HOW, PICTURE, QUESTION, tell
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, BinaryImage
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

calls = []


class Receipt(BaseModel):
    shop: str
    total: float


def look(name: str) -> BinaryImage:
    """Show a picture."""
    calls.append({"name": name})
    return BinaryImage(PICTURE, media_type="image/png")


def model_of(api: str) -> AnthropicModel | OpenAIChatModel | OpenAIResponsesModel:
    """Return the model that asks by that API."""
    if api == "messages":
        return AnthropicModel("default", provider=AnthropicProvider(base_url=BASE_URL, api_key="-"))
    kind = OpenAIChatModel if api == "chat" else OpenAIResponsesModel
    return kind("default", provider=OpenAIProvider(base_url=f"{BASE_URL}/v1", api_key="none"))


async def main() -> None:
    """Ask an agent in each way."""
    model = model_of(*HOW)
    asked = [QUESTION, BinaryContent(PICTURE, media_type="image/png")]
    agent = Agent(model)
    whole = await agent.run(asked)
    async with agent.run_stream(asked) as stream:
        texts = [text async for text in stream.stream_text(delta=True)]
        streamed = stream.usage
    # By a tool of its own: the answer is the call.
    parsed = await Agent(model, output_type=Receipt).run(asked)
    told = await Agent(model, tools=[look]).run(QUESTION)
    tell(
        "pydantic-ai-slim",
        chat=whole.output,
        usage=[whole.usage.input_tokens, whole.usage.output_tokens],
        stream="".join(texts),
        stream_usage=[streamed.input_tokens, streamed.output_tokens],
        parsed=parsed.output.total,
        call=calls[0],
        picture_in_tool_result=told.output,
    )


asyncio.run(main())

"""openai-agents, by responses (its default) or, with `chat` behind the picture, by chat."""

import asyncio

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    ToolOutputImage,
    function_tool,
    set_tracing_disabled,
)
from given import BASE_URL, DATA_URL, HOW, QUESTION, tell
from openai import AsyncOpenAI
from pydantic import BaseModel

calls = []


class Receipt(BaseModel):
    shop: str
    total: float


@function_tool
def look(name: str) -> ToolOutputImage:
    """Show a picture."""
    calls.append({"name": name})
    return ToolOutputImage(image_url=DATA_URL)


async def main() -> None:
    """Ask an agent in each way."""
    set_tracing_disabled(disabled=True)
    client = AsyncOpenAI(base_url=f"{BASE_URL}/v1", api_key="none")
    by_chat = HOW == ["chat"]
    kind = OpenAIChatCompletionsModel if by_chat else OpenAIResponsesModel
    model = kind("default", client)
    shown = {"type": "input_image", "image_url": DATA_URL, "detail": "auto"}
    message = {"role": "user", "content": [{"type": "input_text", "text": QUESTION}, shown]}

    whole = await Runner.run(Agent("Plain", model=model), [message])
    streamed = Runner.run_streamed(
        Agent("Streamed", model=model, model_settings=ModelSettings(include_usage=True)), [message]
    )
    texts = [
        event.data.delta
        async for event in streamed.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    parsed = await Runner.run(Agent("Parsed", model=model, output_type=Receipt), [message])
    with_tool = Agent("Looking", model=model, tools=[look], instructions="Look first.")
    told = await Runner.run(with_tool, QUESTION)
    usages = [run.context_wrapper.usage for run in (whole, streamed)]
    usage, stream_usage = ([usage.input_tokens, usage.output_tokens] for usage in usages)
    tell(
        "openai-agents",
        chat=whole.final_output,
        usage=usage,
        stream="".join(texts),
        stream_usage=stream_usage,
        parsed=parsed.final_output.total,
        call=calls[0],
        picture_in_tool_result=told.final_output,
    )


asyncio.run(main())

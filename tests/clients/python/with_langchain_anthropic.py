"""langchain-anthropic: plain, streamed, parsed, counted, and with a tool that gives a picture."""

from given import BASE64, BASE_URL, QUESTION, tell
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

shown = {"type": "image", "base64": BASE64, "mime_type": "image/png"}


class Receipt(BaseModel):
    shop: str
    total: float


@tool
def look(name: str) -> list:
    """Show a picture."""
    return [shown]


model = ChatAnthropic(base_url=BASE_URL, api_key="none", model="default", max_tokens=500)
asked = [HumanMessage(content=[{"type": "text", "text": QUESTION}, shown])]

whole = model.invoke(asked)

streamed = None
for piece in model.stream(asked):
    streamed = piece if streamed is None else streamed + piece

parsed = model.with_structured_output(Receipt).invoke(asked)

with_tool = model.bind_tools([look])
called = with_tool.invoke(QUESTION)
(call,) = called.tool_calls
result = look.invoke(call)
told = with_tool.invoke([HumanMessage(QUESTION), called, result])

tell(
    "langchain-anthropic",
    chat=whole.text,
    usage=[whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"]],
    stream=streamed.text,
    stream_usage=[
        streamed.usage_metadata["input_tokens"],
        streamed.usage_metadata["output_tokens"],
    ],
    parsed=parsed.total,
    call=call["args"],
    picture_in_tool_result=told.text,
)

"""LangChain by the API that is named behind the picture: `chat` and `responses` are OpenAI's."""

from given import BASE64, BASE_URL, HOW, QUESTION, tell
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

shown = {"type": "image", "base64": BASE64, "mime_type": "image/png"}


class Receipt(BaseModel):
    shop: str
    total: float


@tool
def look(name: str) -> list:
    """Show a picture."""
    return [shown]


if HOW == ["messages"]:
    package = "langchain-anthropic"
    model = ChatAnthropic(base_url=BASE_URL, api_key="none", model="default", max_tokens=500)
else:
    package = "langchain-openai"
    model = ChatOpenAI(
        base_url=f"{BASE_URL}/v1",
        api_key="none",
        model="default",
        use_responses_api=HOW == ["responses"],
        stream_usage=True,
    )
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
    package,
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

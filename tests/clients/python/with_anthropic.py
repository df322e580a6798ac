"""Anthropic's SDK: plain, streamed, parsed, counted, and with a tool that gives a picture."""

from anthropic import Anthropic
from given import BASE64, BASE_URL, QUESTION, tell
from pydantic import BaseModel


class Receipt(BaseModel):
    shop: str
    total: float


client = Anthropic(base_url=BASE_URL, api_key="none")
source = {"type": "base64", "media_type": "image/png", "data": BASE64}
shown = {"type": "image", "source": source}
messages = [{"role": "user", "content": [shown, {"type": "text", "text": QUESTION}]}]
asked = {"model": "default", "max_tokens": 500, "messages": messages}

whole = client.messages.create(**asked)

with client.messages.stream(**asked) as stream:
    texts = list(stream.text_stream)
    streamed = stream.get_final_message()

parsed = client.messages.parse(**asked, output_format=Receipt)
counted = client.messages.count_tokens(model="default", messages=messages)

named = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
tools = [{"name": "look", "description": "Shows a picture.", "input_schema": named}]
text_only = {"role": "user", "content": QUESTION}
limited = {"model": "default", "max_tokens": 500, "tools": tools}
called = client.messages.create(**limited, messages=[text_only])
(call,) = called.content
result = {"type": "tool_result", "tool_use_id": call.id, "content": [shown]}
told = client.messages.create(
    **limited,
    messages=[
        text_only,
        {"role": "assistant", "content": called.content},
        {"role": "user", "content": [result]},
    ],
)

tell(
    "anthropic",
    models=[client.models.retrieve("default").id, *(model.id for model in client.models.list())],
    chat=whole.content[0].text,
    usage=[whole.usage.input_tokens, whole.usage.output_tokens],
    stream="".join(texts),
    stream_usage=[streamed.usage.input_tokens, streamed.usage.output_tokens],
    parsed=parsed.parsed_output.total,
    counted=counted.input_tokens,
    call=call.input,
    picture_in_tool_result=told.content[0].text,
)

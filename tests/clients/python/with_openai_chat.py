"""OpenAI's SDK by chat completions: plain, streamed, parsed, with a tool; and the models."""

import json

from given import BASE_URL, DATA_URL, QUESTION, tell
from openai import OpenAI
from pydantic import BaseModel


class Receipt(BaseModel):
    shop: str
    total: float


client = OpenAI(base_url=f"{BASE_URL}/v1", api_key="none")
shown = {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "high"}}
messages = [{"role": "user", "content": [{"type": "text", "text": QUESTION}, shown]}]
asked = {"model": "default", "messages": messages, "max_completion_tokens": 500}

whole = client.chat.completions.create(**asked)

with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
    texts = [event.delta for event in stream if event.type == "content.delta"]
    streamed = stream.get_final_completion()

parsed = client.chat.completions.parse(**asked, response_format=Receipt)

named = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
tools = [{"type": "function", "function": {"name": "look", "parameters": named}}]
text_only = [{"role": "user", "content": QUESTION}]
called = client.chat.completions.create(model="default", messages=text_only, tools=tools)
(call,) = called.choices[0].message.tool_calls
answered = {"role": "tool", "tool_call_id": call.id, "content": [shown]}
told = client.chat.completions.create(
    model="default", messages=[*text_only, called.choices[0].message, answered], tools=tools
)

tell(
    "openai",
    models=[client.models.retrieve("default").id, *(model.id for model in client.models.list())],
    chat=whole.choices[0].message.content,
    usage=[whole.usage.prompt_tokens, whole.usage.completion_tokens],
    stream="".join(texts),
    stream_usage=[streamed.usage.prompt_tokens, streamed.usage.completion_tokens],
    parsed=parsed.choices[0].message.parsed.total,
    call=json.loads(call.function.arguments),
    picture_in_tool_result=told.choices[0].message.content,
)

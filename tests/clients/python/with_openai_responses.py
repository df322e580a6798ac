"""OpenAI's SDK by responses: plain, streamed, parsed, and with a tool that gives a picture."""

import json

from given import BASE_URL, DATA_URL, QUESTION, tell
from openai import OpenAI
from pydantic import BaseModel


class Receipt(BaseModel):
    shop: str
    total: float


client = OpenAI(base_url=f"{BASE_URL}/v1", api_key="none")
shown = {"type": "input_image", "image_url": DATA_URL, "detail": "auto"}
message = {"role": "user", "content": [{"type": "input_text", "text": QUESTION}, shown]}
asked = {"model": "default", "input": [message], "store": False}

whole = client.responses.create(**asked)

with client.responses.stream(**asked) as stream:
    texts = [event.delta for event in stream if event.type == "response.output_text.delta"]
    streamed = stream.get_final_response()

parsed = client.responses.parse(**asked, text_format=Receipt)

named = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
tools = [{"type": "function", "name": "look", "parameters": named, "strict": False}]
text_only = [{"role": "user", "content": QUESTION}]
called = client.responses.create(model="default", input=text_only, tools=tools)
(call,) = called.output
result = {"type": "function_call_output", "call_id": call.call_id, "output": [shown]}
told = client.responses.create(model="default", input=[*text_only, call, result], tools=tools)

tell(
    "openai",
    chat=whole.output_text,
    usage=[whole.usage.input_tokens, whole.usage.output_tokens],
    stream="".join(texts),
    stream_usage=[streamed.usage.input_tokens, streamed.usage.output_tokens],
    parsed=parsed.output_parsed.total,
    call=json.loads(call.arguments),
    picture_in_tool_result=told.output_text,
)

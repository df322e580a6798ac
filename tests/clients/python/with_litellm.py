"""litellm as a client, by `chat`, `responses` or `messages`, as is said behind the picture."""

import json

import litellm
from given import BASE_URL, DATA_URL, HOW, QUESTION, tell

NAMED = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def completions(model: str, base: str) -> dict:
    """Ask by litellm's own chat completions, which it writes in the provider's API."""
    to = {"model": model, "api_base": base, "api_key": "none"}
    shown = {"type": "image_url", "image_url": {"url": DATA_URL}}
    asked = [{"role": "user", "content": [{"type": "text", "text": QUESTION}, shown]}]

    whole = litellm.completion(**to, messages=asked)

    counted = {"stream": True, "stream_options": {"include_usage": True}}
    streamed = litellm.stream_chunk_builder(
        list(litellm.completion(**to, messages=asked, **counted))
    )

    tools = [{"type": "function", "function": {"name": "look", "parameters": NAMED}}]
    text_only = [{"role": "user", "content": QUESTION}]
    called = litellm.completion(**to, messages=text_only, tools=tools).choices[0].message
    (call,) = called.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": [shown]}
    told = litellm.completion(**to, messages=[*text_only, called, result], tools=tools)
    return {
        "chat": whole.choices[0].message.content,
        "usage": [whole.usage.prompt_tokens, whole.usage.completion_tokens],
        "stream": streamed.choices[0].message.content,
        "stream_usage": [streamed.usage.prompt_tokens, streamed.usage.completion_tokens],
        "call": json.loads(call.function.arguments),
        "picture_in_tool_result": told.choices[0].message.content,
    }


def responses() -> dict:
    """Ask as OpenAI's responses are asked."""
    to = {"model": "openai/default", "api_base": f"{BASE_URL}/v1", "api_key": "none"}
    shown = {"type": "input_image", "image_url": DATA_URL}
    asked = [{"role": "user", "content": [{"type": "input_text", "text": QUESTION}, shown]}]

    whole = litellm.responses(**to, input=asked)
    events = list(litellm.responses(**to, input=asked, stream=True))
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]

    tools = [{"type": "function", "name": "look", "parameters": NAMED, "strict": False}]
    text_only = {"role": "user", "content": QUESTION}
    (call,) = litellm.responses(**to, input=[text_only], tools=tools).output
    result = {"type": "function_call_output", "call_id": call.call_id, "output": [shown]}
    told = litellm.responses(**to, input=[text_only, call.model_dump(), result], tools=tools)
    return {
        "chat": whole.output_text,
        "usage": [whole.usage.input_tokens, whole.usage.output_tokens],
        "stream": "".join(texts),
        "call": json.loads(call.arguments),
        "picture_in_tool_result": told.output_text,
    }


match HOW:
    case ["chat"]:
        got = completions("openai/default", f"{BASE_URL}/v1")
    case ["messages"]:
        got = completions("anthropic/default", BASE_URL)
    case _:
        got = responses()
tell("litellm", **got)

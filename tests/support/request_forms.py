"""How a request with pictures is written in each API whose requests go on to a reasoner."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

Json = dict[str, Any]


class RequestForm(NamedTuple):
    """An API: its path, and the parts of a message in its own form.

    `field` is the request's that holds the messages, `fields` are others that it needs. `result`
    returns a message with what a tool gave.
    """

    path: str
    field: str
    text: Callable[[str], Json]
    picture: Callable[[str], Json]
    result: Callable[[Any], Json]
    fields: Json

    def body(self, *parts: Json, **more: Any) -> Json:
        """Return a request of one message with those parts."""
        return {self.field: [self.message(*parts)], **self.fields, **more}

    def message(self, *parts: Json) -> Json:
        return {"role": "user", "content": list(parts)}

    def text_json(self, text: str) -> str:
        """Return a part with a text, which is JSON already, as it would stand between quotes."""
        return json.dumps(self.text("@@")).replace("@@", text)

    def picture_json(self, url: str) -> str:
        """Return a part with a PNG, whose data URL is JSON already."""
        head, _, data = url.rpartition(",")
        return json.dumps(self.picture(f"{head},@@")).replace("@@", data)

    def message_json(self, *parts: str) -> str:
        return f'{{"role":"user","content":[{",".join(parts)}]}}'

    def body_json(self, messages: str, more: str = "") -> bytes:
        """Return the request whose messages are that JSON; `more` begins with a comma."""
        fields = "".join(f",{json.dumps(name)}:{value}" for name, value in self.fields.items())
        return f'{{"{self.field}":[{messages}]{fields}{more}}}'.encode()


def _base64_of(url: str) -> Json:
    head, _, data = url.partition(";base64,")
    return {"type": "base64", "media_type": head.removeprefix("data:"), "data": data}


CHAT = RequestForm(
    "/v1/chat/completions",
    "messages",
    lambda text: {"type": "text", "text": text},
    lambda url: {"type": "image_url", "image_url": {"url": url}},
    lambda content: {"role": "tool", "tool_call_id": "c1", "content": content},
    {},
)
RESPONSES = RequestForm(
    "/v1/responses",
    "input",
    lambda text: {"type": "input_text", "text": text},
    lambda url: {"type": "input_image", "image_url": url},
    lambda content: {"type": "function_call_output", "call_id": "c1", "output": content},
    {},
)
MESSAGES = RequestForm(
    "/v1/messages",
    "messages",
    lambda text: {"type": "text", "text": text},
    lambda url: {"type": "image", "source": _base64_of(url)},
    lambda content: {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "c1", "content": content}],
    },
    {"max_tokens": 64},
)
COUNT_TOKENS = MESSAGES._replace(path="/v1/messages/count_tokens", fields={})
# Those that answer with a stream on request.
STREAMED = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES}
FORMS = {**STREAMED, "count_tokens": COUNT_TOKENS}

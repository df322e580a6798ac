"""The example picture, asked about as a client asks: by its own settings, through its own API."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from racro.cli.connect.client_settings import Api, Endpoint
from racro.cli.doctor.check_report import Finding, bad, good
from racro.cli.example_answers import (
    QUESTION,
    Event,
    IsEnd,
    Read,
    chatted,
    is_end_of_chat,
    picture,
    read_answer,
    told,
)
from racro.cli.probing import KeyRefused, NotReached, NotServed, Probe, Problem, WrongAnswer, shown

_CHECK = "example"
_MOST_TOKENS = 1024


@dataclass(frozen=True)
class _Spoken:
    """How one API asks about a picture, and how its stream is read."""

    content: Callable[[], Event]
    read: Read
    is_end: IsEnd


async def ask(endpoint: Endpoint, key_env: str, timeout_s: float) -> Finding:
    """Asks about the picture and tells the answer, or what is wrong and what to do about it."""
    spoken = _APIS[endpoint.api]
    body = {"model": endpoint.model, "stream": True, **spoken.content()}
    url = shown(endpoint.url.partition("?")[0])
    began = time.monotonic()
    async with Probe(timeout_s) as probe:
        try:
            answer = await read_answer(
                probe,
                endpoint.url,
                body,
                spoken.read,
                key=endpoint.key,
                timeout_s=timeout_s,
                is_end=spoken.is_end,
            )
        except Problem as problem:
            return bad(_CHECK, problem.message, _advice(problem, endpoint, key_env))
    return good(_CHECK, f"answered by {endpoint.model} at {url}, {told(answer, began)}")


def _advice(problem: Problem, endpoint: Endpoint, key_env: str) -> str:
    match problem:
        case NotReached():
            return problem.advice or "`racro up` starts a gateway; --url names another one"
        case KeyRefused():
            return f"set {key_env} to a key of the gateway, or name its variable with --key-env"
        case NotServed():
            return (
                f"`racro models` shows which there are for --model; the reasoner's server needs "
                f"the {endpoint.api} API: `racro doctor gateway.yaml` tells whether it has it"
            )
    return problem.advice or "`racro doctor` tells what is wrong behind the gateway"


def _chat_content() -> Event:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture()}"}}
    content = [{"type": "text", "text": QUESTION}, image]
    return {"messages": [{"role": "user", "content": content}], "max_tokens": _MOST_TOKENS}


def _responses_content() -> Event:
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{picture()}"}
    content = [{"type": "input_text", "text": QUESTION}, image]
    message = {"type": "message", "role": "user", "content": content}
    return {"input": [message], "store": False, "max_output_tokens": _MOST_TOKENS}


def _messages_content() -> Event:
    source = {"type": "base64", "media_type": "image/png", "data": picture()}
    content = [{"type": "image", "source": source}, {"type": "text", "text": QUESTION}]
    return {"messages": [{"role": "user", "content": content}], "max_tokens": _MOST_TOKENS}


def _responded(_: str, data: Event) -> str:
    """Returns what an event of a response adds to the answer, or to the reasoning before it."""
    kind = str(data.get("type"))
    adds = kind.endswith("text.delta") and isinstance(data.get("delta"), str)
    return str(data["delta"]) if adds else ""


def _is_end_of_response(url: str, _: str, data: Event) -> bool:
    match data:
        case {"type": "response.failed", "response": {"error": {"message": str(message)}}}:
            raise WrongAnswer(f"{url} broke its answer off with an error: {shown(message)}")
        case {"type": "response.failed"}:
            raise WrongAnswer(f"{url} broke its answer off with an error")
    return data.get("type") in {"response.completed", "response.incomplete"}


def _said(_: str, data: Event) -> str:
    """Returns what an event of a message adds to the answer, or to the thinking before it."""
    match data:
        case {"delta": {"text": str(text)}} | {"delta": {"thinking": str(text)}}:
            return text
    return ""


def _is_end_of_message(_url: str, _: str, data: Event) -> bool:
    return data.get("type") == "message_stop"


_APIS: dict[Api, _Spoken] = {
    "chat": _Spoken(_chat_content, chatted, is_end_of_chat),
    "responses": _Spoken(_responses_content, _responded, _is_end_of_response),
    "messages": _Spoken(_messages_content, _said, _is_end_of_message),
}

"""The example picture, and streamed answers to a question about it in each API."""

import base64
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from racro.cli.probing import Probe, WrongAnswer, shown
from racro.contracts.client import message_of
from racro.contracts.completion import Chunk, standard_ending
from racro.servekit.responses import NotJson

QUESTION = "What is the total on the receipt?"
# The name of OpenAI's [DONE], and of the last event of a captioner or a solve.
DONE = "done"

# examples/receipt.png, which is not installed with the package.
_PICTURE = Path(__file__).parent / "doctor" / "example.png"
# Whoever has said so much answers; a model that thinks aloud may go on for minutes.
_ENOUGH_CHARACTERS = 2000
_COMPLETE = {"stop", "length"}

Event = dict[str, Any]
Read = Callable[[str, Event], str]
IsEnd = Callable[[str, str, Event], bool]


def picture() -> str:
    """Returns the picture, a PNG, in base64."""
    return base64.b64encode(_PICTURE.read_bytes()).decode()


async def read_answer(
    probe: Probe,
    url: str,
    body: Event,
    read: Read,
    *,
    key: str | None = None,
    timeout_s: float,
    is_end: IsEnd | None = None,
) -> str:
    """Returns the text of a streamed answer, or the beginning of a long one. Raises Problem.

    `read` is given the name and the data of each event and returns what it adds to the text;
    `is_end` is given the URL, too, and says whether it is the last one, by default of a chat.
    """
    text = ""
    is_last = is_end or is_end_of_chat
    async with probe.events(url, body=body, key=key, timeout_s=timeout_s) as events:
        async for name, data in objects(url, events):
            try:
                text += read(name, data)
            except msgspec.ValidationError as error:
                kind = "something else than chat completions"
                raise WrongAnswer(f"{url} streams {kind}") from error
            if len(text) > _ENOUGH_CHARACTERS or is_last(url, name, data):
                break
        else:
            raise WrongAnswer(f"{url} ended its stream before its answer was complete")
    if not text.strip():
        raise WrongAnswer(f"{url} answers with no word", "is the model one that chats?")
    return text


async def objects(
    url: str, events: AsyncIterator[httpx2.ServerSentEvent]
) -> AsyncIterator[tuple[str, Event]]:
    """Yields the name and the JSON object of each event; OpenAI's [DONE] is DONE.

    Raises WrongAnswer.
    """
    async for event in events:
        if event.data.strip() == "[DONE]":
            yield DONE, {}
            return
        try:
            data = msgspec.json.decode(event.data, type=Event)
        except NotJson as error:
            raise WrongAnswer(f"{url} streams something else than JSON objects") from error
        if event.event == "error" or data.get("error"):
            said = shown(message_of(data.get("error")))
            raise WrongAnswer(f"{url} broke its answer off with an error: {said}")
        yield event.event, data


def chatted(_: str, data: Event) -> str:
    """Returns what a chunk of a chat completion adds to the answer, or to the reasoning before it.

    Raises msgspec.ValidationError where it is none.
    """
    choice = msgspec.convert(data, Chunk).first
    return choice.reasoning + choice.content


def is_end_of_chat(url: str, name: str, data: Event) -> bool:
    """Raise WrongAnswer where the answer ended in another way than a complete one or a cut one."""
    match data:
        case {"choices": [{"finish_reason": str(reason)}, *_]}:
            if standard_ending(reason) not in _COMPLETE:
                raise WrongAnswer(f"{url} ended its answer with finish_reason {shown(reason)}")
            return True
    return name == DONE


def told(answer: str, began: float) -> str:
    """Returns an answer as a finding tells it; `began` is a time of time.monotonic()."""
    return f"after {time.monotonic() - began:.1f} s: {shown(answer)}"

"""An example picture, captioned and answered: by a gateway, or by captioner and reasoners alone."""

import base64
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from pydantic import ValidationError

from gateway.settings import GatewaySettings, ReasonerSection
from racro.cli.doctor.check_report import Finding, bad_because, good
from racro.cli.probing import Probe, Problem, WrongAnswer, shown
from racro.contracts.client import message_of
from racro.contracts.completion import Chunk, standard_ending
from racro.contracts.perception import PerceiveResponse
from racro.contracts.prompts import seeing_prompt, solve_messages
from racro.servekit.responses import NotJson
from racro.servekit.settings import api_key

# examples/receipt.png, which is not installed with the package.
_PICTURE = Path(__file__).with_name("example.png")
_QUESTION = "What is the total on the receipt?"
# Whoever has said so much answers; a model that thinks aloud may go on for minutes.
_ENOUGH_CHARACTERS = 2000
_CHECK = "example"
_DONE = "done"
_COMPLETE = {"stop", "length"}

Event = dict[str, Any]
Read = Callable[[str, Event], str]


class Example:
    """The example; everything may take `timeout_s`."""

    def __init__(self, probe: Probe, timeout_s: float) -> None:
        self._probe = probe
        self._timeout_s = timeout_s
        self._image = f"data:image/png;base64,{base64.b64encode(_PICTURE.read_bytes()).decode()}"

    async def through_gateway(self, url: str, model: str, key: str | None) -> Finding:
        """One solve, whose caption is made anew."""
        check = f"{_CHECK}, reasoner {model}"
        body = {
            "question": _QUESTION, "images": [self._image], "model": model,
            "cache": "bypass", "stream": True,
        }  # fmt: skip
        began = time.monotonic()
        done = "answered"

        def read(name: str, data: Event) -> str:
            nonlocal done
            if name.startswith("visual_context."):
                done = "captioned and answered"
            return _solved(name, data)

        try:
            answer = await self._answer(f"{url}/v1/solve", body, key, read)
        except Problem as problem:
            return bad_because(check, problem, f"the log of the gateway at {url} says more")
        return good(check, f"{done} by {url}, {_told(answer, began)}")

    async def caption(self, settings: GatewaySettings) -> tuple[str | None, Finding]:
        """A caption by the captioner; None where there is none."""
        check = f"{_CHECK}, caption"
        url = f"{settings.captioner.urls[0].rstrip('/')}/v1/perceive"
        began = time.monotonic()
        try:
            caption = await self._perceive(url)
        except Problem as problem:
            return None, bad_because(check, problem, "the captioner's log says more")
        return caption, good(check, f"made {_told(caption, began)}")

    async def _perceive(self, url: str) -> str:
        """The caption of the example, asked as the gateway asks. Raises Problem."""
        parts = ["caption"]
        body = {"question": _QUESTION, "images": [self._image], "parts": parts, "stream": True}
        async with self._probe.events(url, body=body, timeout_s=self._timeout_s) as events:
            async for name, data in _objects(url, events):
                if name == _DONE:
                    return _caption(url, data)
        raise WrongAnswer(f"{url} broke off its answer")

    async def answer(self, name: str, settings: ReasonerSection, caption: str) -> Finding:
        """A reasoner's answer to the caption, or to the image, asked as the gateway asks."""
        check = f"{_CHECK}, reasoner {name}"
        body = {
            "model": settings.model,
            "messages": self._messages(settings, caption),
            **settings.sampling.model_dump(),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        url = f"{settings.urls[0].rstrip('/')}/chat/completions"
        began = time.monotonic()
        try:
            answer = await self._answer(url, body, api_key(settings.api_key_env), _chatted)
        except Problem as problem:
            return bad_because(check, problem, "the log of its server says more")
        return good(check, f"answered, {_told(answer, began)}")

    def _messages(self, settings: ReasonerSection, caption: str) -> Sequence[Event]:
        if not settings.vision:
            return solve_messages(settings.prompt_profile, _QUESTION, caption, None)
        image = {"type": "image_url", "image_url": {"url": self._image}}
        text = {"type": "text", "text": seeing_prompt(_QUESTION)}
        return [{"role": "user", "content": [image, text]}]

    async def _answer(self, url: str, body: Event, key: str | None, read: Read) -> str:
        """The text of a stream, or the beginning of a long one. Raises Problem."""
        text = ""
        async with self._probe.events(url, body=body, key=key, timeout_s=self._timeout_s) as events:
            async for name, data in _objects(url, events):
                try:
                    text += read(name, data)
                except msgspec.ValidationError as error:
                    kind = "something else than chat completions"
                    raise WrongAnswer(f"{url} streams {kind}") from error
                if len(text) > _ENOUGH_CHARACTERS or _is_end(url, name, data):
                    break
            else:
                raise WrongAnswer(f"{url} ended its stream before its answer was complete")
        if not text.strip():
            raise WrongAnswer(f"{url} answers with no word", "is the model one that chats?")
        return text


async def _objects(
    url: str, events: AsyncIterator[httpx2.ServerSentEvent]
) -> AsyncIterator[tuple[str, Event]]:
    """The name and the JSON object of each event; OpenAI's [DONE] is `done`. Raises WrongAnswer."""
    async for event in events:
        if event.data.strip() == "[DONE]":
            yield _DONE, {}
            return
        try:
            data = msgspec.json.decode(event.data, type=Event)
        except NotJson as error:
            raise WrongAnswer(f"{url} streams something else than JSON objects") from error
        if event.event == "error" or data.get("error"):
            said = shown(message_of(data.get("error")))
            raise WrongAnswer(f"{url} broke its answer off with an error: {said}")
        yield event.event, data


def _solved(name: str, data: Event) -> str:
    """What an event of /v1/solve adds to the answer, or to the reasoning before it."""
    return str(data.get("text")) if name in {"answer.delta", "reasoning.delta"} else ""


def _chatted(_: str, data: Event) -> str:
    """What a chunk of a chat completion adds to the answer, or to the reasoning before it.

    Raises msgspec.ValidationError where it is none.
    """
    choice = msgspec.convert(data, Chunk).first
    return choice.reasoning + choice.content


def _is_end(url: str, name: str, data: Event) -> bool:
    """Raise WrongAnswer where the answer ended in another way than a complete one or a cut one."""
    match data:
        case {"choices": [{"finish_reason": str(reason)}, *_]}:
            if standard_ending(reason) not in _COMPLETE:
                raise WrongAnswer(f"{url} ended its answer with finish_reason {shown(reason)}")
            return True
    return name == _DONE


def _caption(url: str, done: Event) -> str:
    try:
        text = PerceiveResponse.model_validate(done).caption[0].text
    except (ValidationError, IndexError) as error:
        raise WrongAnswer(f"{url} answers with no caption", "is it a RACRO captioner?") from error
    if not text.strip():
        raise WrongAnswer(f"{url} answers with an empty caption")
    return text


def _told(answer: str, began: float) -> str:
    return f"after {time.monotonic() - began:.1f} s: {shown(answer)}"

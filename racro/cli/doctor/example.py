"""An example picture, captioned and answered: by a gateway, or by captioner and reasoners alone."""

import time
from collections.abc import Sequence

from pydantic import ValidationError

from gateway.settings import GatewaySettings, ReasonerSection
from racro.cli.doctor.check_report import Finding, bad_because, good
from racro.cli.example_answers import (
    DONE,
    QUESTION,
    Event,
    chatted,
    objects,
    picture,
    read_answer,
    told,
)
from racro.cli.probing import Probe, Problem, WrongAnswer
from racro.contracts.perception import PerceiveResponse
from racro.contracts.prompts import seeing_prompt, solve_messages
from racro.servekit.settings import api_key

_CHECK = "example"


class Example:
    """The example; everything may take `timeout_s`."""

    def __init__(self, probe: Probe, timeout_s: float) -> None:
        self._probe = probe
        self._timeout_s = timeout_s
        self._image = f"data:image/png;base64,{picture()}"

    async def through_gateway(self, url: str, model: str, key: str | None) -> Finding:
        """One solve, whose caption is made anew."""
        check = f"{_CHECK}, reasoner {model}"
        body = {
            "question": QUESTION, "images": [self._image], "model": model,
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
            answer = await read_answer(
                self._probe, f"{url}/v1/solve", body, read, key=key, timeout_s=self._timeout_s
            )
        except Problem as problem:
            return bad_because(check, problem, f"the log of the gateway at {url} says more")
        return good(check, f"{done} by {url}, {told(answer, began)}")

    async def caption(self, settings: GatewaySettings) -> tuple[str | None, Finding]:
        """A caption by the captioner; None where there is none."""
        check = f"{_CHECK}, caption"
        url = f"{settings.captioner.urls[0].rstrip('/')}/v1/perceive"
        began = time.monotonic()
        try:
            caption = await self._perceive(url)
        except Problem as problem:
            return None, bad_because(check, problem, "the captioner's log says more")
        return caption, good(check, f"made {told(caption, began)}")

    async def _perceive(self, url: str) -> str:
        """The caption of the example, asked as the gateway asks. Raises Problem."""
        parts = ["caption"]
        body = {"question": QUESTION, "images": [self._image], "parts": parts, "stream": True}
        async with self._probe.events(url, body=body, timeout_s=self._timeout_s) as events:
            async for name, data in objects(url, events):
                if name == DONE:
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
            key = api_key(settings.api_key_env)
            answer = await read_answer(
                self._probe, url, body, chatted, key=key, timeout_s=self._timeout_s
            )
        except Problem as problem:
            return bad_because(check, problem, "the log of its server says more")
        return good(check, f"answered, {told(answer, began)}")

    def _messages(self, settings: ReasonerSection, caption: str) -> Sequence[Event]:
        if not settings.vision:
            return solve_messages(settings.prompt_profile, QUESTION, caption, None)
        image = {"type": "image_url", "image_url": {"url": self._image}}
        text = {"type": "text", "text": seeing_prompt(QUESTION)}
        return [{"role": "user", "content": [image, text]}]


def _solved(name: str, data: Event) -> str:
    """What an event of /v1/solve adds to the answer, or to the reasoning before it."""
    return str(data.get("text")) if name in {"answer.delta", "reasoning.delta"} else ""


def _caption(url: str, done: Event) -> str:
    try:
        text = PerceiveResponse.model_validate(done).caption[0].text
    except (ValidationError, IndexError) as error:
        raise WrongAnswer(f"{url} answers with no caption", "is it a RACRO captioner?") from error
    if not text.strip():
        raise WrongAnswer(f"{url} answers with an empty caption")
    return text

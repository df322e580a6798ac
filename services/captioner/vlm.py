"""The VLM captioner: prompt profile racro-v1 over any OpenAI-compatible vision server."""

import asyncio
import hashlib
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import msgspec
import pybase64
from PIL import Image

from racro.contracts.errors import RacroError, UpstreamError, UpstreamUnavailable
from racro.contracts.perception import (
    Delta,
    Generation,
    Identity,
    Part,
    PartFailure,
    PerceiveOptions,
    PerceiveRequest,
    PerceiveResponse,
    Usage,
)
from racro.contracts.prompts import (
    RACRO_V1,
    CaptionPrompt,
    caption_prompt,
    prompt_texts,
    tentative_prompt,
)
from racro.servekit.relay import raise_for_status
from racro.servekit.responses import NotJson
from racro.servekit.settings import api_key
from racro.servekit.sse import read_events
from racro.servekit.tasks import all_of
from racro.servekit.upstream import Upstream
from services.captioner.images import PREPROCESSING_VERSION
from services.captioner.settings import VlmSettings

Listen = Callable[[Delta], Awaitable[None]]


class VlmCaptioner:
    def __init__(self, settings: VlmSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._upstream = Upstream(
            session, settings.url, name="vision server", api_key=api_key(settings.api_key_env)
        )
        self.identity = self._identify(settings.revision or settings.model)
        self._asked = settings.revision is not None

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def problem(self) -> str | None:
        """Asks the server for its models; what it tells of a revision becomes ours."""
        try:
            card = await self._card()
        except UpstreamError as error:
            return error.message
        revision = self._settings.revision or card.get("revision") or self._settings.model
        self.identity = self._identify(str(revision))
        self._asked = True
        return None

    async def perceive(
        self, request: PerceiveRequest, images: Sequence[Image.Image], listen: Listen
    ) -> PerceiveResponse:
        """Caption and tentative response at the same time, over images that are encoded once.

        A tentative response that fails is named in `failed`; a caption that fails is raised.
        """
        if not self._asked:
            # A caption must not be stored under a revision that was only a guess.
            await self.problem()
        identity = self.identity
        content = await asyncio.to_thread(_image_parts, images)
        prompts: dict[Part, CaptionPrompt] = {}
        if "caption" in request.parts:
            prompts["caption"] = caption_prompt(request.question)
        if "tentative" in request.parts and request.question is not None:
            prompts["tentative"] = tentative_prompt(request.question)

        failed: dict[Part, PartFailure] = {}
        done: dict[Part, tuple[Generation, ...]] = {}

        async def generate(part: Part, prompt: CaptionPrompt) -> None:
            try:
                done[part] = await self._generate(part, prompt, content, request.options, listen)
            except RacroError as error:
                if part == "caption" or "caption" not in prompts:
                    raise
                failed[part] = PartFailure(code=error.code, message=error.message)

        await all_of(generate(part, prompt) for part, prompt in prompts.items())
        return PerceiveResponse(
            caption=done.get("caption", ()),
            tentative=done.get("tentative", ()),
            failed=failed,
            **identity.model_dump(exclude={"parts"}),
        )

    async def _generate(
        self,
        part: Part,
        prompt: CaptionPrompt,
        image_parts: list[dict[str, Any]],
        options: PerceiveOptions,
        listen: Listen,
    ) -> tuple[Generation, ...]:
        messages: list[dict[str, Any]] = []
        if prompt.system is not None:
            messages.append({"role": "system", "content": prompt.system})
        text = {"type": "text", "text": prompt.user}
        messages.append({"role": "user", "content": [*image_parts, text]})
        temperature = options.temperature
        body = {
            "model": self._settings.model,
            "messages": messages,
            "max_tokens": options.max_tokens or self._settings.max_tokens,
            "temperature": self._settings.temperature if temperature is None else temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if options.n > 1:
            body["n"] = options.n
        if options.seed is not None:
            body["seed"] = options.seed
        sampled = _Samples(part, options.n)
        async with self._upstream.post("/chat/completions", body) as response:
            await raise_for_status(response, name="vision server")
            async for event in read_events(response.content):
                if event.data == b"[DONE]":
                    return sampled.generations()
                for delta in sampled.take(event.data):
                    await listen(delta)
        raise UpstreamUnavailable("the vision server broke off its answer")

    async def _card(self) -> dict[str, Any]:
        listing = await self._upstream.get_json("/models")
        models = listing.get("data", []) if isinstance(listing, dict) else []
        for card in models:
            if isinstance(card, dict) and card.get("id") == self._settings.model:
                return card
        raise UpstreamError(f"the vision server does not serve model {self._settings.model!r}")

    def _identify(self, revision: str) -> Identity:
        settings = self._settings
        shaped_by = [
            settings.model,
            revision,
            RACRO_V1,
            *prompt_texts(),
            settings.temperature,
            settings.max_tokens,
            PREPROCESSING_VERSION,
        ]
        return Identity(
            model=settings.model,
            revision=revision,
            prompt_profile=RACRO_V1,
            fingerprint=hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest(),
        )


class _Samples:
    """The n texts of one streamed completion."""

    def __init__(self, part: Part, n: int) -> None:
        self._part = part
        self._texts: list[list[str]] = [[] for _ in range(n)]
        self._finish_reasons = ["stop"] * n
        self._usage = Usage()

    def take(self, data: bytes) -> list[Delta]:
        chunk = _decode(data)
        if usage := chunk.get("usage"):
            self._usage = Usage(
                prompt_tokens=usage.get("prompt_tokens", 0),
                completion_tokens=usage.get("completion_tokens", 0),
            )
        deltas = []
        for choice in chunk.get("choices", ()):
            index = choice.get("index", 0)
            if not 0 <= index < len(self._texts):
                continue
            self._finish_reasons[index] = choice.get("finish_reason") or self._finish_reasons[index]
            if text := (choice.get("delta") or {}).get("content"):
                self._texts[index].append(text)
                deltas.append(Delta(part=self._part, index=index, text=text))
        return deltas

    def generations(self) -> tuple[Generation, ...]:
        """The server counts tokens for all samples together: they stand with the first."""
        texts = ["".join(pieces) for pieces in self._texts]
        if not all(text.strip() for text in texts):
            raise UpstreamError(f"the vision server answered with an empty {self._part}")
        return tuple(
            Generation(
                text=text,
                finish_reason=finish_reason,
                usage=self._usage if index == 0 else Usage(),
            )
            for index, (text, finish_reason) in enumerate(
                zip(texts, self._finish_reasons, strict=True)
            )
        )


def _decode(data: bytes) -> dict[str, Any]:
    try:
        chunk = msgspec.json.decode(data, type=dict[str, Any])
    except NotJson as error:
        raise UpstreamError("the vision server sent something else than JSON") from error
    if "error" in chunk:
        raise UpstreamUnavailable("the vision server failed while it was answering")
    return chunk


def _image_parts(images: Sequence[Image.Image]) -> list[dict[str, Any]]:
    """Chat content: the images first; more than one are numbered, as the caption shall do."""
    parts: list[dict[str, Any]] = []
    for number, image in enumerate(images, start=1):
        if len(images) > 1:
            parts.append({"type": "text", "text": f"Image {number}:"})
        parts.append({"type": "image_url", "image_url": {"url": _png_data_url(image)}})
    return parts


def _png_data_url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    # Lossless: the vision server gets the pixels that were decoded here. Level 1 for speed.
    image.save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + pybase64.b64encode_as_string(buffer.getbuffer())

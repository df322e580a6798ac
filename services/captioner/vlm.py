"""The VLM captioner: prompt profile racro-v1 over an engine that sees."""

import asyncio
import hashlib
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pybase64
from PIL import Image

from racro.contracts.completion import Chunk
from racro.contracts.errors import NotBegun, RacroError, UpstreamError
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
from racro.engines import Engine
from racro.engines.registry import VisionSettings, create_engine
from racro.servekit.chat_stream import read_chunks
from racro.servekit.relay import raise_for_status
from racro.servekit.tasks import all_of
from racro.servekit.tracing import generation, record_usage
from services.captioner.images import PREPROCESSING_VERSION
from services.captioner.settings import VlmSettings

Listen = Callable[[Delta], Awaitable[None]]

_ENGINE = "vision engine"


def create_vision_engine(settings: VisionSettings) -> Engine:
    """Leaves the process where the settings of one of ours cannot be right."""
    return create_engine(settings, served_name=_name_of(settings.model))


class VlmCaptioner:
    def __init__(
        self, settings: VlmSettings, engine: Engine, session: aiohttp.ClientSession
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._session = session
        self._model = _name_of(settings.engine.model)
        # Until the engine has told its revision; nobody is answered before.
        self.identity = self._identify(self._model)

    async def start(self) -> None:
        await self._engine.start(self._session)

    async def stop(self) -> None:
        await self._engine.stop()

    async def problem(self) -> str | None:
        """Of its engine; the revision that it tells becomes ours."""
        if problem := await self._engine.problem():
            return problem
        try:
            await self._ask_identity()
        except UpstreamError as error:
            return error.message
        return None

    async def _ask_identity(self) -> Identity:
        self.identity = self._identify(await self._engine.revision() or self._model)
        return self.identity

    async def perceive(
        self, request: PerceiveRequest, images: Sequence[Image.Image], listen: Listen
    ) -> PerceiveResponse:
        """Caption and tentative response at the same time, over images that are encoded once.

        A tentative response that fails is named in `failed`; a caption that fails is raised.
        """
        if problem := self._engine.known_problem:
            raise NotBegun(problem)
        # A caption must not be stored under a revision that was only a guess.
        identity = await self._ask_identity()
        with_ids = self._engine.traits.image_ids
        content = await asyncio.to_thread(_image_parts, images, with_ids=with_ids)
        prompts: dict[Part, CaptionPrompt] = {}
        if "caption" in request.parts:
            prompts["caption"] = caption_prompt(request.question)
        if "tentative" in request.parts and request.question is not None:
            prompts["tentative"] = tentative_prompt(request.question)

        failed: dict[Part, PartFailure] = {}
        done: dict[Part, tuple[Generation, ...]] = {}

        async def generate(part: Part, prompt: CaptionPrompt) -> None:
            try:
                with generation(self._model) as span:
                    samples = await self._generate(part, prompt, content, request.options, listen)
                    record_usage(span, sum((sample.usage for sample in samples), Usage()))
                done[part] = samples
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
            "model": self._engine.model,
            "messages": messages,
            "max_tokens": options.max_tokens or self._settings.max_tokens,
            "temperature": self._settings.temperature if temperature is None else temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if options.seed is not None:
            body["seed"] = options.seed
        if options.n == 1:
            return await self._ask(body, _Samples(part), listen)
        if not self._engine.traits.single_samples:
            return await self._ask({**body, "n": options.n}, _Samples(part, n=options.n), listen)
        apart = await all_of(
            self._ask(_reseeded(body, index), _Samples(part, first=index), listen)
            for index in range(options.n)
        )
        return tuple(sample for [sample] in apart)

    async def _ask(
        self, body: dict[str, Any], sampled: "_Samples", listen: Listen
    ) -> tuple[Generation, ...]:
        async with self._engine.chat(body, name=_ENGINE) as response:
            await raise_for_status(response, name=_ENGINE)
            async for chunk in read_chunks(response.content, name=_ENGINE, choices=sampled.number):
                for delta in sampled.take(chunk):
                    await listen(delta)
        return sampled.generations()

    def _identify(self, revision: str) -> Identity:
        settings = self._settings
        shaped_by = [
            self._model,
            revision,
            RACRO_V1,
            *prompt_texts(),
            settings.temperature,
            settings.max_tokens,
            PREPROCESSING_VERSION,
            *settings.engine.shaping(),
        ]
        return Identity(
            model=self._model,
            revision=revision,
            prompt_profile=RACRO_V1,
            fingerprint=hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest(),
        )


class _Samples:
    """The n texts of one streamed completion; `first` is the number of its first one."""

    def __init__(self, part: Part, *, n: int = 1, first: int = 0) -> None:
        self._part = part
        self._first = first
        self._texts: list[list[str]] = [[] for _ in range(n)]
        self._finish_reasons = ["stop"] * n
        self._usage = Usage()

    @property
    def number(self) -> int:
        return len(self._texts)

    def take(self, chunk: Chunk) -> list[Delta]:
        self._usage = chunk.tokens or self._usage
        deltas = []
        for choice in chunk.choices or ():
            index = choice.index or 0
            if not 0 <= index < len(self._texts):
                continue
            self._finish_reasons[index] = choice.finish_reason or self._finish_reasons[index]
            if text := choice.content:
                self._texts[index].append(text)
                deltas.append(Delta(part=self._part, index=self._first + index, text=text))
        return deltas

    def generations(self) -> tuple[Generation, ...]:
        """The server counts tokens for all samples together: they stand with the first."""
        texts = ["".join(pieces) for pieces in self._texts]
        if not all(text.strip() for text in texts):
            raise UpstreamError(f"the {_ENGINE} answered with an empty {self._part}")
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


def _reseeded(body: dict[str, Any], index: int) -> dict[str, Any]:
    """With one seed all samples would be the same."""
    return {**body, "seed": body["seed"] + index} if "seed" in body else body


def _image_parts(images: Sequence[Image.Image], *, with_ids: bool) -> list[dict[str, Any]]:
    """Chat content: the images first; more than one are numbered, as the caption shall do.

    An id of the content spares the engine the hashing of its own.
    """
    parts: list[dict[str, Any]] = []
    for number, image in enumerate(images, start=1):
        if len(images) > 1:
            parts.append({"type": "text", "text": f"Image {number}:"})
        png = _png(image)
        url = "data:image/png;base64," + pybase64.b64encode_as_string(png)
        part: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
        if with_ids:
            part["uuid"] = hashlib.sha256(png).hexdigest()
        parts.append(part)
    return parts


def _png(image: Image.Image) -> memoryview:
    buffer = io.BytesIO()
    # Lossless: the engine gets the pixels that were decoded here. Level 1 for speed.
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getbuffer()


def _name_of(model: str) -> str:
    """What clients are shown: never where on the machine it lies."""
    return Path(model).name if Path(model).is_dir() else model

"""The OCR captioner: what is read, told by the composer. It has no tentative response."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from PIL import Image

from racro.contracts.perception import (
    Delta,
    Generation,
    Identity,
    OnDelta,
    PerceiveRequest,
    PerceiveResponse,
)
from racro.embedded.composer import COMPOSER_VERSION, compose
from racro.embedded.reader import PREPARATION, RELEASE, OcrReader, models_revision
from racro.servekit.health import Problem

# Rough, and enough for a limit: OCR text has no tokenizer of its own.
_CHARS_PER_TOKEN = 4

T = TypeVar("T")


class OcrCaptioner:
    """One image at a time in each of `workers` threads; recognition itself uses `threads`."""

    def __init__(self, *, workers: int, threads: int, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._reader = OcrReader(threads=threads)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="ocr")
        self._ready = False

    async def start(self) -> None:
        """Load the models, so that the first request does not wait for them."""
        self.identity = await self._run(self._identify)
        await self._run(partial(self._reader.read, Image.new("RGB", (64, 64), "white")))
        self._ready = True

    async def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def problem(self) -> Problem | None:
        return None if self._ready else Problem("the OCR models are loading")

    async def perceive(
        self,
        request: PerceiveRequest,
        images: Sequence[Image.Image],
        on_delta: OnDelta,
    ) -> PerceiveResponse:
        limit = request.options.max_tokens or self._max_tokens
        share = limit * _CHARS_PER_TOKEN // len(images)
        texts, cut = [], False
        for number, image in enumerate(images, start=1):
            text, was_cut = await self._run(partial(self._caption, image, share))
            heading = f"Image {number}:\n" if len(images) > 1 else ""
            texts.append(heading + text)
            cut = cut or was_cut
        generation = Generation(text="\n\n".join(texts), finish_reason="length" if cut else "stop")
        # Reading is deterministic: n samples of it are n times the same.
        wanted = range(request.options.n) if "caption" in request.parts else range(0)
        for index in wanted:
            await on_delta(Delta(part="caption", index=index, text=generation.text))
        return PerceiveResponse(
            caption=tuple(generation for _ in wanted),
            **self.identity.model_dump(exclude={"parts"}),
        )

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _caption(self, image: Image.Image, max_chars: int) -> tuple[str, bool]:
        words, pixels = self._reader.read(image)
        return compose(words, pixels, max_chars=max_chars)

    def _identify(self) -> Identity:
        revision = models_revision()
        shaped_by = [RELEASE, revision, PREPARATION, COMPOSER_VERSION, self._max_tokens]
        return Identity(
            model=f"rapidocr-{RELEASE}",
            revision=revision,
            prompt_profile=COMPOSER_VERSION,
            fingerprint=hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest(),
            parts=("caption",),
        )

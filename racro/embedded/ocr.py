"""The OCR captioner: rapidocr in process, on the CPU. It has no tentative response."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np
import rapidocr
from PIL import Image
from rapidocr.utils.output import RapidOCROutput

from racro.contracts.perception import (
    Delta,
    Generation,
    Identity,
    PerceiveRequest,
    PerceiveResponse,
)
from racro.embedded.composer import COMPOSER_VERSION, Word, compose

# Rough, and enough for a limit: OCR text has no tokenizer of its own.
_CHARS_PER_TOKEN = 4
# rapidocr enlarges the short side to 736 pixels: of 1x5000 that would make 2,700 megapixels.
_MOST_ELONGATED = 8

T = TypeVar("T")


class OcrCaptioner:
    """One image at a time in each of `workers` threads; recognition itself uses `threads`."""

    def __init__(self, *, workers: int, threads: int, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._threads = threads
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="ocr")
        self._local = threading.local()
        self._ready = False

    async def start(self) -> None:
        """Load the models, so that the first request does not wait for them."""
        self.identity = await self._run(self._identify)
        await self._run(partial(self._read, Image.new("RGB", (64, 64), "white")))
        self._ready = True

    async def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def problem(self) -> str | None:
        return None if self._ready else "the OCR models are loading"

    async def perceive(
        self,
        request: PerceiveRequest,
        images: Sequence[Image.Image],
        listen: Callable[[Delta], Awaitable[None]],
    ) -> PerceiveResponse:
        limit = request.options.max_tokens or self._max_tokens
        share = limit * _CHARS_PER_TOKEN // len(images)
        texts, cut = [], False
        for number, image in enumerate(images, start=1):
            words = await self._run(partial(self._read, image))
            text, was_cut = compose(words, max_chars=share)
            heading = f"Image {number}:\n" if len(images) > 1 else ""
            texts.append(heading + text)
            cut = cut or was_cut
        generation = Generation(text="\n\n".join(texts), finish_reason="length" if cut else "stop")
        # Reading is deterministic: n samples of it are n times the same.
        wanted = range(request.options.n) if "caption" in request.parts else range(0)
        for index in wanted:
            await listen(Delta(part="caption", index=index, text=generation.text))
        return PerceiveResponse(
            caption=tuple(generation for _ in wanted),
            **self.identity.model_dump(exclude={"parts"}),
        )

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _reader(self) -> rapidocr.RapidOCR:
        """This thread's own reader: one is not safe to share."""
        if not hasattr(self._local, "reader"):
            self._local.reader = rapidocr.RapidOCR(
                params={
                    "Global.log_level": "critical",
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                }
            )
        reader: rapidocr.RapidOCR = self._local.reader
        return reader

    def _read(self, image: Image.Image) -> list[Word]:
        blue_green_red = np.asarray(_less_thin(image))[:, :, ::-1]
        found = self._reader()(blue_green_red)
        if not isinstance(found, RapidOCROutput) or found.boxes is None or found.txts is None:
            return []
        return [
            Word(text, *box.min(axis=0).tolist(), *box.max(axis=0).tolist())
            for text, box in zip(found.txts, found.boxes, strict=True)
            # Gridlines are read as dashes and underscores.
            if any(character.isalnum() for character in text)
        ]

    def _identify(self) -> Identity:
        models = sorted((Path(rapidocr.__file__).parent / "models").glob("*.onnx"))
        revision = hashlib.sha256(b"".join(path.read_bytes() for path in models)).hexdigest()[:16]
        release = version("rapidocr")
        shaped_by = [release, revision, COMPOSER_VERSION, self._max_tokens]
        return Identity(
            model=f"rapidocr-{release}",
            revision=revision,
            prompt_profile=COMPOSER_VERSION,
            fingerprint=hashlib.sha256(json.dumps(shaped_by).encode()).hexdigest(),
            parts=("caption",),
        )


def _less_thin(image: Image.Image) -> Image.Image:
    """The RGB image itself, or on a white canvas whose sides are at most 1 : 8."""
    shortest = max(image.size) // _MOST_ELONGATED
    width, height = max(image.width, shortest), max(image.height, shortest)
    if (width, height) == image.size:
        return image
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(image)
    return canvas

"""The OCR captioner: what is read, told by the composer. It has no tentative response."""

from collections.abc import Sequence

from racro.contracts.image_limits import ImageLimits
from racro.contracts.perception import (
    Delta,
    Generation,
    Identity,
    OnDelta,
    PerceiveRequest,
    PerceiveResponse,
)
from racro.servekit.health import Problem
from services.captioner.image_work import Caption, EncodedImage, load_ocr, read_caption
from services.captioner.settings import OcrSettings
from services.captioner.shown_images import ShownImage, page_count, shown_images
from services.captioner.workers import Admission, Workers

# Rough, and enough for a limit: OCR text has no tokenizer of its own.
_CHARS_PER_TOKEN = 4


class OcrCaptioner:
    """A captioner whose images are read in worker processes, those of one request in turn."""

    identity: Identity

    def __init__(self, settings: OcrSettings, workers: Workers, limits: ImageLimits) -> None:
        """`workers` are warmed up by `load_ocr`."""
        self._settings = settings
        self._workers = workers
        self._limits = limits

    async def start(self) -> None:
        """Start a worker, so that the first request does not wait for the models."""
        self.identity = await self._workers.run(load_ocr, self._settings)

    async def stop(self) -> None:
        """Do nothing: the workers are not its own."""

    async def problem(self) -> Problem | None:
        """Return None: once started, it would caption."""
        return None

    async def perceive(
        self,
        request: PerceiveRequest,
        images: Sequence[EncodedImage],
        admission: Admission,
        on_delta: OnDelta,
    ) -> PerceiveResponse:
        """Return what is written in the images. Raises what `Admission.run` does."""
        shown = await shown_images(
            images, request.options.max_pages or self._limits.max_pages, self._limits, admission
        )
        limit = request.options.max_tokens or self._settings.max_tokens
        share = limit * _CHARS_PER_TOKEN // len(shown)
        captions = [
            await admission.run(
                read_caption,
                image,
                self._limits,
                self._settings,
                share,
                request.options.caption_profile,
                param=image.param,
            )
            for image, _, _ in shown
        ]
        cut = any(caption.is_cut for caption in captions)
        generation = Generation(
            text=_joined(shown, captions), finish_reason="length" if cut else "stop"
        )
        # Reading is deterministic: n samples of it are n times the same.
        wanted = range(request.options.n) if "caption" in request.parts else range(0)
        for index in wanted:
            await on_delta(Delta(part="caption", index=index, text=generation.text))
        return PerceiveResponse(
            caption=tuple(generation for _ in wanted),
            pages=page_count(shown),
            **self.identity.model_dump(exclude={"options", "parts"}),
        )


def _joined(shown: Sequence[ShownImage], captions: Sequence[Caption]) -> str:
    """Return the captions as one, each with the lines before it and after it."""
    paragraphs: list[str] = []
    for one, caption in zip(shown, captions, strict=True):
        paragraphs += ["\n".join((*one.before, caption.text)), *one.after]
    return "\n\n".join(paragraphs)

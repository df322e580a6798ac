"""Captions images with a vision-language model, by the prompts of racro-v1 or of screen-v1."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from racro.contracts.errors import NotStarted, RacroError, UpstreamError
from racro.contracts.image_limits import ImageLimits
from racro.contracts.perception import (
    Delta,
    Generation,
    Identity,
    OnDelta,
    Part,
    PartFailure,
    PerceiveOptions,
    PerceiveRequest,
    PerceiveResponse,
    Usage,
)
from racro.contracts.prompts import CaptionPrompt, caption_prompt, screen_prompt, tentative_prompt
from racro.engines.engine import Engine
from racro.servekit.gen_ai_metrics import observe_generation
from racro.servekit.health import Problem
from racro.servekit.tasks import all_of
from racro.servekit.tracing import error_type, generation, record_usage
from racro.servekit.upstream import Client
from services.captioner.identity import identity_of
from services.captioner.image_work import EncodedImage, write_png
from services.captioner.messages import image_parts, prompt_messages
from services.captioner.samples import sample
from services.captioner.sent_images import SentImages
from services.captioner.settings import VlmSettings
from services.captioner.shown_images import lines_after, page_count, shown_images
from services.captioner.workers import Admission


class VlmCaptioner:
    """A captioner whose texts an engine makes, which it starts and stops."""

    def __init__(
        self,
        settings: VlmSettings,
        engine: Engine,
        client: Client,
        limits: ImageLimits,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._client = client
        self._limits = limits
        self._sent = SentImages(settings.max_sent_bytes)
        # Until the engine has told its revision; no request is answered before.
        self.identity = identity_of(settings, revision=None)

    async def start(self) -> None:
        await self._engine.start(self._client)

    async def stop(self) -> None:
        await self._engine.stop()

    async def problem(self) -> Problem | None:
        """Tell why its engine would not answer now, and note the revision that it tells."""
        if problem := await self._engine.problem():
            return problem
        try:
            await self._ask_identity()
        except UpstreamError as error:
            return Problem(error.message)
        return None

    async def _ask_identity(self) -> Identity:
        self.identity = identity_of(self._settings, revision=await self._engine.revision())
        return self.identity

    async def perceive(
        self,
        request: PerceiveRequest,
        images: Sequence[EncodedImage],
        admission: Admission,
        on_delta: OnDelta,
    ) -> PerceiveResponse:
        """Make caption and tentative response at the same time, over images encoded once.

        A tentative response that fails is named in `failed`; a caption that fails is raised.
        """
        if problem := self._engine.known_problem:
            raise NotStarted(problem.public)
        # A caption must not be stored under a revision that was only a guess.
        identity = await self._ask_identity()
        with self._sent.hold() as held:
            shown = await shown_images(
                images, request.options.max_pages or self._limits.max_pages, self._limits, admission
            )
            for image, _, _ in shown:
                png = await admission.run(
                    write_png, image, self._limits, self._settings, param=image.param
                )
                held.add(png)
            parts = image_parts(shown, held.images, with_ids=self._engine.traits.image_ids)
            response = await self._generate(request, identity, parts, on_delta)
            caption = await _with_lines(response.caption, lines_after(shown), on_delta)
            return response.model_copy(update={"caption": caption, "pages": page_count(shown)})

    async def _generate(
        self,
        request: PerceiveRequest,
        identity: Identity,
        parts: Sequence[dict[str, Any]],
        on_delta: OnDelta,
    ) -> PerceiveResponse:
        prompts = _prompts(request)
        failed: dict[Part, PartFailure] = {}
        done: dict[Part, tuple[Generation, ...]] = {}

        async def generate(part: Part, prompt: CaptionPrompt) -> None:
            body = self._body(prompt, parts, request.options)
            try:
                done[part] = await self._sample(part, body, request.options.n, on_delta)
            except RacroError as error:
                if part == "caption" or "caption" not in prompts:
                    raise
                failed[part] = PartFailure(code=error.code, message=error.message)

        await all_of(generate(part, prompt) for part, prompt in prompts.items())
        return PerceiveResponse(
            caption=done.get("caption", ()),
            tentative=done.get("tentative", ()),
            failed=failed,
            **identity.model_dump(exclude={"options", "parts"}),
        )

    async def _sample(
        self, part: Part, body: dict[str, Any], n: int, on_delta: OnDelta
    ) -> tuple[Generation, ...]:
        model, started = self.identity.model, perf_counter()
        with generation(model) as span:
            try:
                samples = await sample(self._engine, part, body, n=n, on_delta=on_delta)
            except BaseException as error:
                observe_generation(model, perf_counter() - started, error=error_type(error))
                raise
            usage = sum((one.usage for one in samples), Usage())
            observe_generation(model, perf_counter() - started, usage=usage)
            record_usage(span, usage)
        return samples

    def _body(
        self, prompt: CaptionPrompt, parts: Sequence[dict[str, Any]], options: PerceiveOptions
    ) -> dict[str, Any]:
        """Return the chat request; what `options` leave open is as the settings say."""
        settings, temperature = self._settings, options.temperature
        sampling = {
            "max_tokens": options.max_tokens or settings.max_tokens,
            "temperature": settings.temperature if temperature is None else temperature,
            "seed": options.seed,
        }
        return {
            "model": self._engine.model,
            "messages": prompt_messages(prompt, parts),
            **{name: value for name, value in sampling.items() if value is not None},
        }


async def _with_lines(
    captions: tuple[Generation, ...], lines: Sequence[str], on_delta: OnDelta
) -> tuple[Generation, ...]:
    """Return the captions with lines behind them, for those who read no more than a caption."""
    told = "".join(f"\n\n{line}" for line in lines)
    if not told:
        return captions
    for index in range(len(captions)):
        await on_delta(Delta(part="caption", index=index, text=told))
    return tuple(one.model_copy(update={"text": one.text + told}) for one in captions)


def _prompts(request: PerceiveRequest) -> dict[Part, CaptionPrompt]:
    """Return the prompt for each of the parts that are asked for."""
    prompts: dict[Part, CaptionPrompt] = {}
    if "caption" in request.parts:
        is_screen = request.options.caption_profile == "screen"
        prompts["caption"] = (screen_prompt if is_screen else caption_prompt)(request.question)
    if "tentative" in request.parts and request.question is not None:
        prompts["tentative"] = tentative_prompt(request.question)
    return prompts

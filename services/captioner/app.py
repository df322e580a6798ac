"""The captioner service's app."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI

from racro.contracts.errors import NotBegun
from racro.contracts.perception import Identity, PerceiveRequest, PerceiveResponse
from racro.servekit.app import Readiness, add_asgi_route, create_app
from racro.servekit.upstream import open_session
from services.captioner.images import limit_pixels
from services.captioner.perceive import Captioner, Perceive
from services.captioner.settings import CaptionerSettings, OcrSettings
from services.captioner.vlm import VlmCaptioner, create_vision_engine


def create_captioner(settings: CaptionerSettings) -> FastAPI:
    limit_pixels(settings.max_image_pixels)
    perceive = Perceive(settings)
    create = _creator(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with open_session() as session:
            captioner = create(session)
            await captioner.start()
            perceive.captioner = captioner
            try:
                yield
            finally:
                perceive.captioner = None
                await captioner.stop()

    async def readiness() -> Readiness:
        captioner = perceive.captioner
        if captioner is None:
            return Readiness.of(captioner="the captioner is starting")
        return Readiness.of(captioner=await captioner.problem())

    app = create_app(
        title="RACRO captioner",
        max_body_bytes=settings.max_body_bytes,
        readiness=readiness,
        lifespan=lifespan,
    )
    add_asgi_route(
        app, "/v1/perceive", perceive, request=PerceiveRequest, response=PerceiveResponse
    )

    @app.get("/v1/identity", summary="Who captions, and the fingerprint of all that shapes it.")
    async def identity() -> Identity:
        captioner = perceive.captioner
        if captioner is None:
            raise NotBegun("the captioner is starting")
        if problem := await captioner.problem():
            raise NotBegun(problem.partition(";")[0])
        return captioner.identity

    return app


def _creator(settings: CaptionerSettings) -> Callable[[aiohttp.ClientSession], Captioner]:
    """An engine's wrong settings end the process here, before anything is served."""
    if isinstance(settings.captioner, OcrSettings):
        # Imported here: a captioner over an engine that sees installs no OCR.
        from racro.embedded.ocr import OcrCaptioner  # noqa: PLC0415

        ocr = settings.captioner
        return lambda _: OcrCaptioner(
            workers=ocr.workers, threads=ocr.threads, max_tokens=ocr.max_tokens
        )
    vlm = settings.captioner
    engine = create_vision_engine(vlm.engine)
    return lambda session: VlmCaptioner(vlm, engine, session)

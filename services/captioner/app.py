"""Creates the app of the captioner service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from racro.contracts.errors import NotStarted
from racro.contracts.perception import Identity, PerceiveRequest, PerceiveResponse
from racro.engines.registry import create_engine
from racro.servekit.access_log import AccessLog
from racro.servekit.app import (
    Lifespan,
    Readiness,
    State,
    create_api,
)
from racro.servekit.asgi_routes import add_asgi_route
from racro.servekit.guarded_app import GuardedApp
from racro.servekit.upstream import Client, open_client
from services.captioner.identity import shown_name
from services.captioner.images import limit_pixels
from services.captioner.perceive import Captioner, Perceive, captioner_in, state_with
from services.captioner.settings import CaptionerSettings, OcrSettings
from services.captioner.vlm import VlmCaptioner


def create_captioner(settings: CaptionerSettings) -> GuardedApp:
    """Return the app that captions as the settings say. Raises WrongSettingsError."""
    limit_pixels(settings.max_image_pixels)
    api = create_api(title="RACRO captioner", readiness=_readiness, lifespan=_lifespan(settings))
    add_asgi_route(
        api,
        "/v1/perceive",
        Perceive(settings),
        request=PerceiveRequest,
        response=PerceiveResponse,
    )

    @api.get("/v1/identity", summary="Who captions, and the fingerprint of all that shapes it.")
    async def identity(request: Request) -> Identity:
        captioner = captioner_in(request.scope["state"])
        if problem := await captioner.problem():
            raise NotStarted(problem.public)
        return captioner.identity

    return GuardedApp(
        api,
        access_log=AccessLog(service="captioner", share=settings.access_log_share),
        max_body_bytes=settings.max_body_bytes,
        max_bytes_in_flight=settings.max_bytes_in_flight,
        shutdown_timeout_s=settings.shutdown_timeout_s,
    )


def _lifespan(settings: CaptionerSettings) -> Lifespan:
    """Return what starts the captioner that the requests share."""
    create = _creator(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with open_client(settings.upstreams) as client:
            captioner = create(client)
            await captioner.start()
            try:
                yield state_with(captioner)
            finally:
                await captioner.stop()

    return lifespan


async def _readiness(state: State) -> Readiness:
    return Readiness.of(captioner=await captioner_in(state).problem())


def _creator(settings: CaptionerSettings) -> Callable[[Client], Captioner]:
    """Return what makes the captioner once there is a client.

    An engine is made here already: its wrong settings are told before anything is served.
    """
    if isinstance(settings.captioner, OcrSettings):
        # Imported here: a captioner over a vision engine installs no OCR.
        from racro.embedded.ocr import OcrCaptioner  # noqa: PLC0415

        ocr = settings.captioner
        return lambda _: OcrCaptioner(
            workers=ocr.workers, threads=ocr.threads, max_tokens=ocr.max_tokens
        )
    vlm = settings.captioner
    name = shown_name(vlm.engine.model_name())
    engine = create_engine(vlm.engine, section="captioner.engine", served_name=name)
    return lambda client: VlmCaptioner(vlm, engine, client)

"""Creates the app of the captioner service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from racro.contracts.errors import NotStarted
from racro.contracts.perception import (
    Identity,
    PerceiveRequest,
    PerceiveResponse,
    contract_from_headers,
)
from racro.engines.registry import create_engine
from racro.servekit.access_log import AccessLog
from racro.servekit.app import (
    Lifespan,
    Readiness,
    ReadinessCheck,
    State,
    create_api,
)
from racro.servekit.asgi_routes import add_asgi_route
from racro.servekit.guarded_app import GuardedApp
from racro.servekit.upstream import Client, open_client
from services.captioner.identity import shown_name
from services.captioner.image_work import load_ocr, prepare_decoding
from services.captioner.ocr import OcrCaptioner
from services.captioner.perceive import Captioner, Perceive, captioner_in, state_with
from services.captioner.settings import CaptionerSettings, OcrSettings
from services.captioner.vlm import VlmCaptioner
from services.captioner.workers import Workers


def create_captioner(settings: CaptionerSettings) -> GuardedApp:
    """Return the app that captions as the settings say. Raises WrongSettingsError."""
    workers = Workers(settings.workers, _warm_up(settings))
    api = create_api(
        title="RACRO captioner",
        readiness=_readiness_with(workers),
        lifespan=_lifespan(settings, workers),
    )
    add_asgi_route(
        api,
        "/v1/perceive",
        Perceive(settings, workers),
        request=PerceiveRequest,
        response=PerceiveResponse,
    )

    @api.get(
        "/v1/identity",
        summary="Who captions, and the fingerprint of all that shapes it.",
        response_model=Identity,
    )
    async def identity(request: Request) -> JSONResponse:
        captioner = captioner_in(request.scope["state"])
        if problem := await captioner.problem():
            raise NotStarted(problem.public)
        return JSONResponse(captioner.identity.as_of(contract_from_headers(request.headers)))

    return GuardedApp(
        api,
        access_log=AccessLog(service="captioner", share=settings.access_log_share),
        max_body_bytes=settings.max_body_bytes,
        max_bytes_in_flight=settings.max_bytes_in_flight,
        shutdown_timeout_s=settings.shutdown_timeout_s,
        shutdown_quiet_s=settings.shutdown_quiet_s,
    )


def _lifespan(settings: CaptionerSettings, workers: Workers) -> Lifespan:
    """Return what starts the captioner that the requests share."""
    create = _creator(settings, workers)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with open_client(settings.upstreams) as client:
            captioner = create(client)
            await captioner.start()
            try:
                yield state_with(captioner)
            finally:
                await captioner.stop()
                await workers.stop()

    return lifespan


def _warm_up(settings: CaptionerSettings) -> Callable[[], object]:
    """Return what a worker does before its first image."""
    if isinstance(settings.captioner, OcrSettings):
        return partial(load_ocr, settings.captioner)
    return prepare_decoding


def _readiness_with(workers: Workers) -> ReadinessCheck:
    """Return what tells whether a request would be captioned now."""

    async def readiness(state: State) -> Readiness:
        problem = await captioner_in(state).problem() or workers.problem()
        return Readiness.of(captioner=problem)

    return readiness


def _creator(settings: CaptionerSettings, workers: Workers) -> Callable[[Client], Captioner]:
    """Return what makes the captioner once there is a client.

    An engine is made here already: its wrong settings are told before anything is served.
    """
    limits = settings.image_limits
    if isinstance(settings.captioner, OcrSettings):
        ocr = settings.captioner
        return lambda _: OcrCaptioner(ocr, workers, limits)
    vlm = settings.captioner
    name = shown_name(vlm.engine.model_name())
    engine = create_engine(vlm.engine, section="captioner.engine", served_name=name)
    return lambda client: VlmCaptioner(vlm, engine, client, limits)

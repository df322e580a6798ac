"""Serves `POST /v1/perceive`, over either captioner."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from racro.contracts.errors import InvalidRequest
from racro.contracts.perception import (
    Delta,
    Identity,
    OnDelta,
    PerceiveRequest,
    PerceiveResponse,
    contract_from_headers,
    ignore_delta,
)
from racro.servekit.app import State
from racro.servekit.context import timeout_from_headers, within
from racro.servekit.health import Problem
from racro.servekit.image_types import PDF
from racro.servekit.json_bounds import Bound
from racro.servekit.protocol import body_writer
from racro.servekit.responses import read_body, send_response
from racro.servekit.sse import NamedEventStream
from racro.servekit.validation import parse_json
from services.captioner.image_work import EncodedImage
from services.captioner.images import read_images
from services.captioner.settings import CaptionerSettings
from services.captioner.workers import Admission, Workers

_STATE_KEY = "captioner"


class Captioner(Protocol):
    """Turns images into texts. `on_delta` gets each piece of text as it is generated."""

    identity: Identity

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def problem(self) -> Problem | None:
        """Tell why it would not caption now; None where it would."""

    async def perceive(
        self,
        request: PerceiveRequest,
        images: Sequence[EncodedImage],
        admission: Admission,
        on_delta: OnDelta,
    ) -> PerceiveResponse: ...


def state_with(captioner: Captioner) -> State:
    """Return the lifespan state in which `captioner_in` finds the captioner."""
    return {_STATE_KEY: captioner}


def captioner_in(state: State) -> Captioner:
    """Return the captioner of a lifespan state."""
    captioner: Captioner = state[_STATE_KEY]
    return captioner


class Perceive:
    """Caption and tentative response of a question about images, plain or streamed."""

    def __init__(self, settings: CaptionerSettings, workers: Workers) -> None:
        self._settings = settings
        self._workers = workers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        captioner = captioner_in(scope["state"])
        timeout_s = timeout_from_headers(scope["headers"], most_s=self._settings.timeout_s)
        contract = contract_from_headers(Headers(scope=scope))
        with within(timeout_s):
            body = await read_body(receive)
            with self._workers.admit() as admission:
                request, images = await asyncio.to_thread(self._parse, body)
                del body
                if not request.stream:
                    response = await captioner.perceive(request, images, admission, ignore_delta)
                    await send_response(send, msgspec.json.encode(response.as_of(contract)))
                    return
                stream = NamedEventStream(
                    send, body_writer(scope), keep_alive_s=self._settings.keep_alive_s
                )
                async with stream as out:

                    async def send_delta(delta: Delta) -> None:
                        await out.event("delta", delta.model_dump())

                    response = await captioner.perceive(request, images, admission, send_delta)
                    await out.event("done", response.as_of(contract))

    def _parse(self, body: bytes) -> tuple[PerceiveRequest, list[EncodedImage]]:
        """Return a request without its images, and the images."""
        lists = {"images": Bound(self._settings.max_images, "max_images")}
        request = parse_json(PerceiveRequest, body, lists=lists)
        if len(request.images) > self._settings.max_images:
            raise InvalidRequest(
                f"{len(request.images)} images; max_images = {self._settings.max_images}",
                param="images",
            )
        limits = self._settings.image_limits
        asked = request.options.max_pages
        if asked is not None and asked > limits.max_pages:
            raise InvalidRequest(
                f"options.max_pages = {asked}; max_pages = {limits.max_pages}",
                param="options.max_pages",
            )
        images = [
            EncodedImage(data, param=f"images[{index}]", is_pdf=media_type == PDF)
            for index, (data, media_type) in enumerate(read_images(request.images, limits))
        ]
        # Their texts would be kept for as long as the work takes.
        return request.model_copy(update={"images": ()}), images

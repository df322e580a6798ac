"""Serves `POST /v1/perceive`, over either captioner."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from PIL import Image
from starlette.types import Receive, Scope, Send

from racro.contracts.errors import InvalidRequest
from racro.contracts.perception import (
    Delta,
    Identity,
    OnDelta,
    PerceiveRequest,
    PerceiveResponse,
    ignore_delta,
)
from racro.servekit.app import State
from racro.servekit.context import timeout_from_headers, within
from racro.servekit.health import Problem
from racro.servekit.json_bounds import Bound
from racro.servekit.protocol import body_writer
from racro.servekit.responses import read_body, send_response
from racro.servekit.sse import NamedEventStream
from racro.servekit.validation import parse_json
from services.captioner.images import decode_image, read_images
from services.captioner.settings import CaptionerSettings

_STATE_KEY = "captioner"


class Captioner(Protocol):
    """Turns decoded images into texts. `on_delta` gets each piece of text as it is generated."""

    identity: Identity

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def problem(self) -> Problem | None:
        """Tell why it would not caption now; None where it would."""

    async def perceive(
        self,
        request: PerceiveRequest,
        images: Sequence[Image.Image],
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

    def __init__(self, settings: CaptionerSettings) -> None:
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        captioner = captioner_in(scope["state"])
        body = await read_body(receive)
        timeout_s = timeout_from_headers(scope["headers"], most_s=self._settings.timeout_s)
        with within(timeout_s):
            request, images = await asyncio.to_thread(self._read, body)
            if not request.stream:
                response = await captioner.perceive(request, images, ignore_delta)
                await send_response(send, response.model_dump_json().encode())
                return
            stream = NamedEventStream(
                send, body_writer(scope), keep_alive_s=self._settings.keep_alive_s
            )
            async with stream as out:

                async def send_delta(delta: Delta) -> None:
                    await out.event("delta", delta.model_dump())

                response = await captioner.perceive(request, images, send_delta)
                await out.event("done", response.model_dump())

    def _read(self, body: bytes) -> tuple[PerceiveRequest, list[Image.Image]]:
        lists = {"images": Bound(self._settings.max_images, "max_images")}
        request = parse_json(PerceiveRequest, body, lists=lists)
        if len(request.images) > self._settings.max_images:
            raise InvalidRequest(
                f"{len(request.images)} images; max_images = {self._settings.max_images}",
                param="images",
            )
        limits, fit = self._settings.image_limits, self._settings.captioner.fit
        images = [
            decode_image(data, param=f"images[{index}]", limits=limits, fit=fit)
            for index, data in enumerate(read_images(request.images, limits))
        ]
        return request, images

"""The client of the captioner service."""

import asyncio
from functools import partial

from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from gateway.replica_state import ReplicaState
from racro.contracts.errors import InvalidRequest, NotStarted, UpstreamError, UpstreamUnavailable
from racro.contracts.perception import (
    Delta,
    Identity,
    OnDelta,
    PerceiveRequest,
    PerceiveResponse,
)
from racro.servekit.relay import error_from_event, raise_for_status
from racro.servekit.responses import encode
from racro.servekit.sse import Event, read_events
from racro.servekit.tasks import off_loop_if_large
from racro.servekit.tracing import step
from racro.servekit.upstream import Upstream
from racro.servekit.validation import parse_json


class CaptionerClient:
    """Asks one captioner for captions, and every `identity_ttl_s` seconds who it is.

    `name` tells it from other replicas, alike for all gateways.
    """

    def __init__(self, upstream: Upstream, *, name: str, identity_ttl_s: float) -> None:
        self.name = name
        self.state = ReplicaState()
        self._upstream = upstream
        self._identity_ttl_s = identity_ttl_s
        self._identity: Identity | None = None
        self._expires = 0.0
        self._refreshing = asyncio.Lock()

    @property
    def was_reached(self) -> bool:
        """Whether it has ever told who it is."""
        return self._identity is not None

    async def identity(self) -> Identity:
        """Return who captions now, asking again when the last answer has expired.

        While the captioner is down the last known identity is used: what it captioned before
        stays right. Raises UpstreamUnavailable if it was never known.
        """
        now = asyncio.get_running_loop().time
        if self._identity is None or now() >= self._expires:
            async with self._refreshing:
                if self._identity is None or now() >= self._expires:
                    await self._refresh()
        if self._identity is None:
            raise NotStarted("the captioner cannot be reached")
        return self._identity

    async def check(self) -> None:
        """Ask for the identity now, to see whether the captioner answers. Raises UpstreamError."""
        await self._ask_identity()

    def forget_identity(self) -> None:
        """Ask for the identity again when it is next needed: an answer had another fingerprint."""
        self._expires = 0

    async def perceive(self, request: PerceiveRequest, on_delta: OnDelta) -> PerceiveResponse:
        """Have images captioned in one streamed call; `on_delta` gets each piece of text."""
        body = await off_loop_if_large(
            sum(map(len, request.images)), partial(_streamed_body, request)
        )
        with step("POST /v1/perceive", SpanKind.CLIENT):
            return await self._perceive(body, on_delta)

    async def _perceive(self, body: bytes, on_delta: OnDelta) -> PerceiveResponse:
        async with self._upstream.post("/v1/perceive", body) as response:
            await raise_for_status(response, name="captioner")
            async for event in read_events(response):
                if event.name == "delta":
                    if delta := _parse_delta(event):
                        await on_delta(delta)
                elif event.name == "done":
                    return await off_loop_if_large(len(event.data), partial(_parse_response, event))
                elif event.name == "error":
                    raise error_from_event(event.data, name="captioner")
        raise UpstreamUnavailable("the captioner broke off its answer")

    async def _refresh(self) -> None:
        try:
            await self._ask_identity()
        except UpstreamError:
            if self._identity is None:
                raise
            # Not at once again: every request would wait for a captioner that is down.
            self._expires = asyncio.get_running_loop().time() + 1

    async def _ask_identity(self) -> None:
        try:
            answer = await self._upstream.get_json("/v1/identity")
        except UpstreamError:
            self.state.mark_down()
            raise
        self.state.mark_up()
        try:
            self._identity = Identity.model_validate(answer)
        except ValidationError as error:
            raise UpstreamError("the captioner's identity does not fit its contract") from error
        self._expires = asyncio.get_running_loop().time() + self._identity_ttl_s


def _streamed_body(request: PerceiveRequest) -> bytes:
    # An option at its default is not sent: a captioner of a version before may not know it.
    body = request.model_dump(exclude={"options"})
    return encode({**body, "options": request.options.changed(), "stream": True})


def _parse_delta(event: Event) -> Delta | None:
    """Return a piece of text; None for one of a part that a later version knows."""
    try:
        return Delta.model_validate_json(event.data)
    except ValidationError as error:
        if {detail["type"] for detail in error.errors()} == {"literal_error"}:
            return None
        raise UpstreamError("the captioner's answer does not fit its contract") from error


def _parse_response(event: Event) -> PerceiveResponse:
    try:
        # Parts, samples, their fields, counts.
        return parse_json(PerceiveResponse, event.data, depth=3)
    except InvalidRequest as error:
        raise UpstreamError("the captioner's answer does not fit its contract") from error

"""The client of the captioner service."""

import asyncio
import copy
from functools import partial
from typing import Any

from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from gateway.replica_state import ReplicaState, Silence
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
from racro.servekit.tasks import off_loop_if_large, one_at_a_time
from racro.servekit.tracing import step
from racro.servekit.upstream import Response, Upstream
from racro.servekit.validation import parse_json

_FAILURE_BELIEVED_S = 1.0


class CaptionerClient:
    """Asks one captioner for captions, and every `identity_ttl_s` seconds who it is.

    `name` tells it from other replicas, alike for all gateways. `identity` is the one last known of
    the same URL, at which other replicas may have been.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        name: str,
        identity_ttl_s: float,
        identity: Identity | None = None,
    ) -> None:
        self.name = name
        self.state = ReplicaState()
        self._upstream = upstream
        self._identity_ttl_s = identity_ttl_s
        self.known_identity = identity
        self._failure: UpstreamError | None = None
        self._expires = 0.0
        self._ask_once = one_at_a_time(self._ask_identity)

    async def identity(self) -> Identity:
        """Return who captions now, asking again when the last answer has expired.

        While the captioner is down the last known identity is used, and nobody waits for it: what
        it captioned before stays right. Raises UpstreamError if it was never known.
        """
        if self.known_identity is None or not self.state.has_failed:
            await self._refresh()
        if self.known_identity is None:
            raise self._copied_failure()
        return self.known_identity

    async def check(self) -> None:
        """Ask for the identity now, to see whether the captioner answers. Raises UpstreamError."""
        await self._ask_once()
        if self._failure is not None:
            raise self._copied_failure()

    async def recheck(self) -> None:
        """Ask whether it answers."""
        await self._ask_once()

    async def expect_answer(self) -> Identity:
        """Return who captions now, for a request that is to be captioned.

        Raises UpstreamError where it did not answer when it was asked last, less than a second ago:
        images must not wait for one that hangs.
        """
        if self.state.has_failed:
            await self._refresh()
            if self._failure is not None:
                raise self._copied_failure()
        return await self.identity()

    def forget_identity(self) -> None:
        """Ask for the identity again when it is next needed: an answer had another fingerprint."""
        self._expires = 0

    async def perceive(self, request: PerceiveRequest, on_delta: OnDelta) -> PerceiveResponse:
        """Have images captioned in one streamed call; `on_delta` gets each piece of text."""
        body = await off_loop_if_large(
            sum(map(len, request.images)), partial(_streamed_body, request)
        )
        silence = Silence(self.state)
        is_answered = False
        try:
            with silence, step("POST /v1/perceive", SpanKind.CLIENT):
                async with self._upstream.post("/v1/perceive", body) as response:
                    is_answered = True
                    return await self._read(response, on_delta, silence)
        except BaseException as error:
            self._note(error, silence, is_answered=is_answered)
            raise

    def _note(self, error: BaseException, silence: Silence, *, is_answered: bool) -> None:
        """Note what an error tells of the replica.

        One that breaks off its answer may do so for what it was asked: another request would fail
        nowhere.
        """
        if isinstance(error, NotStarted) and is_answered:
            self.state.mark_busy(error.retry_after_s)
        elif not (is_answered and isinstance(error, UpstreamError)):
            self.state.note_unanswered(error, silent_s=silence.seconds)
        if self.state.has_failed:
            self.forget_identity()

    async def _read(
        self, response: Response, on_delta: OnDelta, silence: Silence
    ) -> PerceiveResponse:
        await raise_for_status(response, name="captioner")
        async for event in read_events(response):
            silence.end()
            if event.name == "delta":
                if delta := _parse_delta(event):
                    await on_delta(delta)
            elif event.name == "done":
                return await off_loop_if_large(len(event.data), partial(_parse_response, event))
            elif event.name == "error":
                raise error_from_event(event.data, name="captioner")
        raise UpstreamUnavailable("the captioner broke off its answer")

    async def _refresh(self) -> None:
        if asyncio.get_running_loop().time() >= self._expires:
            await self._ask_once()

    async def _ask_identity(self) -> None:
        """Ask who it is, and note what is found: a failure is believed for a second.

        Or every request would wait for a captioner that is down.
        """
        try:
            answer = await self._upstream.get_json("/v1/identity")
            self.known_identity = _parse_identity(answer)
        except UpstreamError as error:
            self.state.mark_down()
            self._failure, believed_s = copy.copy(error), _FAILURE_BELIEVED_S
        else:
            self.state.mark_up()
            self._failure, believed_s = None, self._identity_ttl_s
        self._expires = asyncio.get_running_loop().time() + believed_s

    def _copied_failure(self) -> UpstreamError:
        """Return why it did not tell: an exception raised twice would keep every traceback."""
        return copy.copy(self._failure) or NotStarted("the captioner cannot be reached")


def _parse_identity(answer: Any) -> Identity:
    try:
        return Identity.model_validate(answer)
    except ValidationError as error:
        raise UpstreamError("the captioner's identity does not fit its contract") from error


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

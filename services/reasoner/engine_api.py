"""Relays the APIs of the engine."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar, NamedTuple

import msgspec
from starlette.types import Receive, Scope, Send

from racro.contracts.errors import InvalidRequest, NotFound, NotStarted, UnknownModel
from racro.engines.engine import Engine, ServedModel
from racro.servekit.context import timeout_from_headers, within
from racro.servekit.json_bounds import TooManyError, fields_of
from racro.servekit.protocol import body_writer
from racro.servekit.relay import raise_for_status
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.responses import NotJson, read_body, send_response
from racro.servekit.sse import EventStream
from racro.servekit.surrogates import why_not_json
from racro.servekit.tasks import off_loop_if_large
from racro.servekit.tracing import generation
from racro.servekit.upstream import Response
from services.reasoner.settings import ReasonerSettings

Body = dict[str, Any]

# What clients see of it in errors.
ENGINE = "engine"

_MOST_FIELDS = 128
_decoder = msgspec.json.Decoder(Body)


class Request(NamedTuple):
    """Holds what a client asked: the served name that it used, and the body that it sent.

    `chat` is the body of the chat that is asked of an engine which has chats alone.
    """

    model: str
    served: ServedModel
    body: Body
    chat: Body | None = None

    @property
    def for_engine(self) -> Body:
        return self.served.request(self.body)


class Relay:
    """Relays the engine's API under `path`, with our model's name and limits.

    One that is `optional` is not found where the engine has none.
    """

    path: ClassVar[str]
    optional: ClassVar[bool] = False

    def __init__(self, settings: ReasonerSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = await read_body(receive)
        request = await off_loop_if_large(len(raw), partial(self._parse, raw))
        timeout_s = timeout_from_headers(scope["headers"], most_s=self._settings.timeout_s)
        if problem := self._engine.known_problem:
            raise NotStarted(problem.public)
        with within(timeout_s):
            await self._answer(request, scope, send)

    async def _answer(self, request: Request, scope: Scope, send: Send) -> None:  # noqa: ARG002 - of a stream, where it is written
        await self._plain(request, send)

    def _parse(self, raw: bytes) -> Request:
        """Read a request. Raises InvalidRequest or UnknownModel."""
        try:
            fields_of(raw, _MOST_FIELDS)
            body = _decoder.decode(raw)
        except TooManyError as error:
            raise InvalidRequest(f"more fields than {_MOST_FIELDS}") from error
        except NotJson as error:
            why = why_not_json(raw, error)
            raise InvalidRequest(f"the body is not a JSON object: {why}") from error
        model = body.get("model", self._settings.model)
        if not isinstance(model, str) or model not in self._engine.models:
            raise UnknownModel("no such model; GET /v1/models lists them", param="model")
        return Request(model, self._engine.models[model], body)

    @asynccontextmanager
    async def _ask(self, body: Body) -> AsyncIterator[Response]:
        with generation(self._engine.model):
            async with self._engine.post(self.path, body) as response:
                yield response

    async def _check(self, response: Response) -> None:
        if self.optional and response.status == NotFound.status:
            raise NotFound("the engine has no such API, or nothing under the id that was given")
        await raise_for_status(response, name=ENGINE)

    def _check_plain(self, answer: bytes) -> None:
        """Raise UpstreamError where a plain answer is not of this API."""

    async def _plain(self, request: Request, send: Send) -> None:
        async with self._ask(request.for_engine) as response:
            await self._check(response)
            answer = await response.read()
        await off_loop_if_large(len(answer), partial(self._check_plain, answer))
        await send_response(send, answer)


class StreamedRelay(Relay):
    """Relays an API whose answers may be streamed."""

    _open: ClassVar[type[EventStream]] = EventStream

    @abstractmethod
    async def _watch(self, request: Request, response: Response) -> tuple[RelayedStream, bytes]:
        """Return what watches a stream, and the stream's first bytes.

        Raises what an error there means, UpstreamError where it is no stream of this API.
        """

    async def _answer(self, request: Request, scope: Scope, send: Send) -> None:
        if not request.body.get("stream"):
            await self._plain(request, send)
            return
        keep_alive_s = self._settings.keep_alive_s
        async with self._open(send, body_writer(scope), keep_alive_s=keep_alive_s) as out:
            await self._stream(request, out)

    async def _stream(self, request: Request, out: EventStream) -> None:
        """Pass a stream on. Raises UpstreamUnavailable where it ends before its answer."""
        async with self._ask(request.for_engine) as response:
            await self._check(response)
            answer, first = await self._watch(request, response)
            await out.write(first)
            answer.feed(first)
            await out.relay(response, answer.feed)
            answer.end()

"""The engine's own APIs, relayed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import aiohttp
import msgspec
from starlette.types import Receive, Scope, Send

from racro.contracts.errors import InvalidRequest, NotBegun, NotFound, UnknownModel
from racro.engines import Engine
from racro.servekit.context import timeout_from_headers, within
from racro.servekit.relay import raise_for_status, relay_stream
from racro.servekit.responses import NotJson, read_body, send_response
from racro.servekit.sse import EventStream, NamedEventStream
from racro.servekit.tracing import generation
from racro.servekit.upstream import Upstream
from services.reasoner.settings import ReasonerSettings

Body = dict[str, Any]

_decoder = msgspec.json.Decoder(Body)


class Relay:
    """An API of the engine under `path`, plain or streamed, with our model's name and limits."""

    path: ClassVar[str]
    _open: ClassVar[type[EventStream]] = EventStream

    def __init__(self, settings: ReasonerSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self.session: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = self._parse(await read_body(receive))
        timeout_s = timeout_from_headers(scope["headers"], most_s=self._settings.timeout_s)
        if problem := self._engine.known_problem:
            raise NotBegun(problem)
        async with within(timeout_s):
            if body.get("stream"):
                async with (
                    self._open(send, keep_alive_s=self._settings.keep_alive_s) as out,
                    self._ask({**body, **self._engine.stream_fields}) as response,
                ):
                    await self._check(response)
                    await self._relay(response, out)
            else:
                await self._plain(body, send)

    def _parse(self, raw: bytes) -> Body:
        try:
            body = _decoder.decode(raw)
        except NotJson as error:
            raise InvalidRequest(f"the body is not a JSON object: {error}") from error
        if body.get("model", self._settings.model) != self._settings.model:
            raise UnknownModel("no such model; GET /v1/models lists them", param="model")
        return {**body, "model": self._engine.model}

    @asynccontextmanager
    async def _ask(self, body: Body) -> AsyncIterator[aiohttp.ClientResponse]:
        engine = Upstream(
            self.session, self._engine.base_url, name="engine", api_key=self._engine.api_key
        )
        with generation(self._engine.model):
            async with engine.post(self.path, body, headers=self._engine.headers) as response:
                yield response

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        await raise_for_status(response, name="engine")

    async def _relay(self, response: aiohttp.ClientResponse, out: EventStream) -> None:
        await relay_stream(response, out)

    async def _plain(self, body: Body, send: Send) -> None:
        async with self._ask(body) as response:
            await self._check(response)
            answer = await response.read()
        await send_response(send, answer)


class _Further(Relay):
    """One that not every engine has; events of its streams have names, those of errors too."""

    _open = NamedEventStream

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status == NotFound.status:
            raise NotFound("the engine has no such API, or nothing under the id that was given")
        await super()._check(response)


class Responses(_Further):
    """OpenAI responses, of an engine that serves them."""

    path = "/responses"


class Messages(_Further):
    """Anthropic messages, of an engine that serves them."""

    path = "/messages"

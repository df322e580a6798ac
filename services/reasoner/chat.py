"""`POST /v1/chat/completions`: the engine's answer, relayed, or folded from its stream."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import msgspec
from starlette.types import Receive, Scope, Send

from racro.contracts.errors import InvalidRequest, NotBegun, UnknownModel, UpstreamUnavailable
from racro.engines import Engine
from racro.servekit.context import timeout_from_headers, within
from racro.servekit.relay import raise_for_status, relay_stream
from racro.servekit.responses import NotJson, encode, read_body, send_response
from racro.servekit.sse import EventStream, read_events
from racro.servekit.upstream import Upstream
from services.reasoner.fold import Fold
from services.reasoner.settings import ReasonerSettings

Body = dict[str, Any]

_decoder = msgspec.json.Decoder(Body)
# Exact: inside a JSON string its quotes would be escaped.
_PROGRESS = b'"prompt_progress":'


class ChatCompletions:
    """OpenAI chat completions, plain or streamed."""

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
                await self._stream(body, send)
            elif self._engine.plain_by_stream:
                await self._fold(body, send)
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

    def _ask(self, body: Body) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        engine = Upstream(
            self.session, self._engine.base_url, name="engine", api_key=self._engine.api_key
        )
        return engine.post("/chat/completions", body, headers=self._engine.headers)

    async def _stream(self, body: Body, send: Send) -> None:
        asked = {**body, **self._engine.stream_fields}
        async with (
            EventStream(send, keep_alive_s=self._settings.keep_alive_s) as out,
            self._ask(asked) as response,
        ):
            await raise_for_status(response, name="engine")
            if not self._engine.stream_fields:
                await relay_stream(response, out)
                return
            async for event in read_events(response.content):
                if _PROGRESS not in event.data:
                    await out.write(b"data: " + event.data + b"\n\n")

    async def _fold(self, body: Body, send: Send) -> None:
        fold, finished = Fold(), False
        asked = {
            **body,
            **self._engine.stream_fields,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async with self._ask(asked) as response:
            await raise_for_status(response, name="engine")
            async for event in read_events(response.content):
                if event.data == b"[DONE]":
                    finished = True
                elif _PROGRESS not in event.data:
                    fold.add(_chunk(event.data))
        if not finished:
            raise UpstreamUnavailable("the engine broke off its answer")
        await send_response(send, encode(fold.answer()))

    async def _plain(self, body: Body, send: Send) -> None:
        async with self._ask(body) as response:
            await raise_for_status(response, name="engine")
            answer = await response.read()
        await send_response(send, answer)


def _chunk(data: bytes) -> Body:
    chunk = _decoder.decode(data)
    if "error" in chunk:
        raise UpstreamUnavailable("the engine failed while it was answering")
    return chunk

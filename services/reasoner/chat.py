"""`POST /v1/chat/completions`: the engine's answer, relayed, or folded from its stream."""

import aiohttp
import msgspec
from starlette.types import Send

from racro.contracts.errors import UpstreamUnavailable
from racro.servekit.relay import raise_for_status
from racro.servekit.responses import encode, send_response
from racro.servekit.sse import EventStream, read_events
from services.reasoner.fold import Fold
from services.reasoner.relay import Body, Relay

_decoder = msgspec.json.Decoder(Body)
# Exact: inside a JSON string its quotes would be escaped.
_PROGRESS = b'"prompt_progress":'


class ChatCompletions(Relay):
    """OpenAI chat completions, plain or streamed."""

    path = "/chat/completions"

    async def _relay(self, response: aiohttp.ClientResponse, out: EventStream) -> None:
        if not self._engine.stream_fields:
            await super()._relay(response, out)
            return
        async for event in read_events(response.content):
            if _PROGRESS not in event.data:
                await out.write(b"data: " + event.data + b"\n\n")

    async def _plain(self, body: Body, send: Send) -> None:
        if self._engine.plain_by_stream:
            await self._fold(body, send)
        else:
            await super()._plain(body, send)

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


def _chunk(data: bytes) -> Body:
    chunk = _decoder.decode(data)
    if "error" in chunk:
        raise UpstreamUnavailable("the engine failed while it was answering")
    return chunk

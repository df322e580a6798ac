"""Serves `POST /v1/chat/completions`: relays the engine's answer, or makes it of its stream."""

from starlette.types import Send

from racro.contracts.errors import InvalidRequest
from racro.servekit.chat_relay import (
    StreamedAnswer,
    check_completion,
    choices_of,
    read_beginning,
)
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.responses import encode, send_response
from racro.servekit.sse import DONE, EventStream
from racro.servekit.upstream import Response
from services.reasoner.chunks import answer_to, read_answer
from services.reasoner.engine_api import ENGINE, Body, Request, StreamedRelay
from services.reasoner.fold import Fold


class ChatCompletions(StreamedRelay):
    """OpenAI chat completions, plain or streamed."""

    path = "/chat/completions"

    def _parse(self, raw: bytes) -> Request:
        request = super()._parse(raw)
        _check(request.body, most_choices=request.served.most_choices)
        return request

    async def _watch(self, request: Request, response: Response) -> tuple[RelayedStream, bytes]:
        choices = choices_of(request.body.get("n"))
        first = await read_beginning(response, name=ENGINE)
        return StreamedAnswer(name=ENGINE, choices=choices), first

    def _check_plain(self, answer: bytes) -> None:
        check_completion(answer, name=ENGINE)

    async def _stream(self, request: Request, out: EventStream) -> None:
        if not self._engine.traits.plain_by_stream:
            await super()._stream(request, out)
            return
        options = request.body.get("stream_options") or {}
        async for chunk in read_answer(self._engine, request, answer_to(request)):
            if chunk["choices"] or options.get("include_usage"):
                await out.write(b"data: " + encode(chunk) + b"\n\n")
        await out.write(DONE)

    async def _plain(self, request: Request, send: Send) -> None:
        if not self._engine.traits.plain_by_stream:
            await super()._plain(request, send)
            return
        fold = Fold()
        async for chunk in read_answer(self._engine, request, answer_to(request)):
            fold.add(chunk)
        await send_response(send, encode(fold.answer()))


def _check(body: Body, *, most_choices: int | None) -> None:
    """Raise InvalidRequest for what engines would answer all the same, or refuse unnamed."""
    if body.get("messages") == []:
        raise InvalidRequest("messages: at least one message is needed", param="messages")
    if not isinstance(body.get("stream_options") or {}, dict):
        raise InvalidRequest("stream_options: an object is expected", param="stream_options")
    n = body.get("n")
    if n is None:
        return
    if type(n) is not int or n < 1:
        raise InvalidRequest("n: a whole number from 1 on is needed", param="n")
    if most_choices is not None and n > most_choices:
        raise InvalidRequest(f"n = {n}; engine.parallel = {most_choices}", param="n")

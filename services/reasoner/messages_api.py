"""Serves Anthropic's `POST /v1/messages` and `/v1/messages/count_tokens`."""

import msgspec

from racro.servekit.dialect_streams import MessagesEventStream
from racro.servekit.messages_relay import StreamedAnswer, check_completion, read_beginning
from racro.servekit.relay import no_completion
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.responses import NotJson
from racro.servekit.upstream import Response
from services.reasoner.answer import Answer
from services.reasoner.dialect_fields import Json
from services.reasoner.engine_api import ENGINE, Relay, Request
from services.reasoner.further_api import Events, FurtherApi
from services.reasoner.messages_events import MessageEvents
from services.reasoner.messages_request import as_chat


class _Count(msgspec.Struct):
    input_tokens: int


_decode_count = msgspec.json.Decoder(_Count).decode


class Messages(FurtherApi):
    """Anthropic messages, plain or streamed."""

    path = "/messages"
    _open = MessagesEventStream

    async def _watch(self, request: Request, response: Response) -> tuple[RelayedStream, bytes]:  # noqa: ARG002 - it asks for one
        first = await read_beginning(response, name=ENGINE)
        return StreamedAnswer(name=ENGINE), first

    def _check_plain(self, answer: bytes) -> None:
        check_completion(answer, name=ENGINE)

    def _as_chat(self, body: Json) -> Json:
        return as_chat(body)

    def _events(self, request: Request, answer: Answer) -> Events:
        return MessageEvents(request, answer)


class CountTokens(Relay):
    """Counts the tokens of a message's prompt, of an engine that does."""

    path = "/messages/count_tokens"
    optional = True

    def _parse(self, raw: bytes) -> Request:
        request = super()._parse(raw)
        if not self._engine.traits.more_apis:
            # What would be refused is no prompt whose tokens could be counted.
            as_chat(request.body)
        request.body.pop("stream", None)
        return request

    def _check_plain(self, answer: bytes) -> None:
        try:
            _decode_count(answer)
        except NotJson as error:
            raise no_completion(answer, name=ENGINE, expected="a count of tokens") from error

"""Serves Anthropic's `POST /v1/messages` and `/v1/messages/count_tokens`."""

from services.reasoner.answer import Answer
from services.reasoner.dialect_fields import Json
from services.reasoner.engine_api import Request
from services.reasoner.further_api import Events, FurtherApi, RelayOrNotFound
from services.reasoner.messages_events import MessageEvents
from services.reasoner.messages_request import as_chat


class Messages(FurtherApi):
    """Anthropic messages, plain or streamed."""

    path = "/messages"

    def _as_chat(self, body: Json) -> Json:
        return as_chat(body)

    def _events(self, request: Request, answer: Answer) -> Events:
        return MessageEvents(request, answer)


class CountTokens(RelayOrNotFound):
    """Counts the tokens of a message's prompt, of an engine that does."""

    path = "/messages/count_tokens"

    def _parse(self, raw: bytes) -> Request:
        request = super()._parse(raw)
        if not self._engine.traits.more_apis:
            # What would be refused is no prompt whose tokens could be counted.
            as_chat(request.body)
        request.body.pop("stream", None)
        return request

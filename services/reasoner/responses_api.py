"""Serves OpenAI's `POST /v1/responses`."""

from services.reasoner.answer import Answer
from services.reasoner.dialect_fields import Json
from services.reasoner.engine_api import Request
from services.reasoner.further_api import Events, FurtherApi
from services.reasoner.responses_events import ResponseEvents
from services.reasoner.responses_request import as_chat


class Responses(FurtherApi):
    """OpenAI responses, plain or streamed."""

    path = "/responses"

    def _as_chat(self, body: Json) -> Json:
        return as_chat(body)

    def _events(self, request: Request, answer: Answer) -> Events:  # noqa: ARG002 - messages need it
        return ResponseEvents(request)

"""Serves OpenAI's `POST /v1/responses`."""

from racro.servekit.dialect_streams import ResponsesEventStream
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.responses_relay import StreamedAnswer, check_completion, read_beginning
from racro.servekit.upstream import Response
from services.reasoner.answer import Answer
from services.reasoner.dialect_fields import Json
from services.reasoner.engine_api import ENGINE, Request
from services.reasoner.further_api import Events, FurtherApi
from services.reasoner.responses_events import ResponseEvents
from services.reasoner.responses_request import as_chat


class Responses(FurtherApi):
    """OpenAI responses, plain or streamed."""

    path = "/responses"
    _open = ResponsesEventStream

    async def _watch(self, request: Request, response: Response) -> tuple[RelayedStream, bytes]:  # noqa: ARG002 - it asks for one
        first = await read_beginning(response, name=ENGINE)
        return StreamedAnswer(name=ENGINE), first

    def _check_plain(self, answer: bytes) -> None:
        check_completion(answer, name=ENGINE)

    def _as_chat(self, body: Json) -> Json:
        return as_chat(body)

    def _events(self, request: Request, answer: Answer) -> Events:  # noqa: ARG002 - messages need it
        return ResponseEvents(request)

"""`POST /v1/responses`: OpenAI's responses, with eyes."""

from typing import ClassVar

from msgspec import Raw

from gateway.dialects.chat_conversation import ChatConversation
from gateway.dialects.relayed_api import REASONER, RelayedApi
from gateway.dialects.relayed_request import RelayedRequest
from gateway.dialects.response_items import ItemConversation
from gateway.dialects.stateful_fields import check_stateless, stateful_item
from gateway.reasoning.served_dialects import Api
from gateway.settings import LimitsSection, ReasonerSection
from racro.contracts.perception import Usage
from racro.servekit.dialect_streams import ResponsesEventStream
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.responses_relay import StreamedAnswer, check_completion, read_beginning
from racro.servekit.sse import EventStream
from racro.servekit.upstream import Response

_NOTHING = Raw(b"null")


class ResponsesRequest(RelayedRequest):
    """A request of OpenAI's responses."""

    conversation_type: ClassVar[type[ChatConversation]] = ItemConversation
    kind: ClassVar[str] = "a request of responses"

    def __init__(self, body: bytes, *, follow_up: bool, limits: LimitsSection) -> None:
        """Parse a request body. Raises InvalidRequest."""
        super().__init__(body, follow_up=follow_up, limits=limits)
        given = self.fields.get(self.conversation.field, _NOTHING)
        self._stateful_item = stateful_item(given, self.conversation.items)

    def check_for(self, settings: ReasonerSection) -> None:
        if settings.stateful:
            return
        check_stateless(self.fields)
        if self._stateful_item is not None:
            raise self._stateful_item


class Responses(RelayedApi):
    """OpenAI responses, plain or streamed."""

    api: ClassVar[Api] = "responses"
    request_type: ClassVar[type[RelayedRequest]] = ResponsesRequest
    event_stream: ClassVar[type[EventStream]] = ResponsesEventStream

    def watch(self, request: RelayedRequest) -> RelayedStream:  # noqa: ARG002 - it asks for one
        return StreamedAnswer(name=REASONER)

    async def read_beginning(self, response: Response) -> bytes:
        return await read_beginning(response, name=REASONER)

    def check_completion(self, answer: bytes) -> Usage:
        return check_completion(answer, name=REASONER)

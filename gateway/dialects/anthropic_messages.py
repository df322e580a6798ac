"""`POST /v1/messages`: Anthropic's API, with eyes."""

from collections.abc import Mapping
from typing import ClassVar

from starlette.types import Scope

from gateway.dialects.chat_conversation import ChatConversation
from gateway.dialects.headed_conversation import HeadedConversation
from gateway.dialects.relayed_api import REASONER, RelayedApi
from gateway.dialects.relayed_request import RelayedRequest
from gateway.reasoning.request_headers import anthropic_headers
from gateway.reasoning.served_dialects import Api
from racro.contracts.perception import Usage
from racro.servekit.dialect_streams import MessagesEventStream
from racro.servekit.messages_relay import StreamedAnswer, check_completion, read_beginning
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.sse import EventStream
from racro.servekit.upstream import Response


class MessagesRequest(RelayedRequest):
    """A request of Anthropic's messages."""

    conversation_type: ClassVar[type[ChatConversation]] = HeadedConversation
    kind: ClassVar[str] = "a request of messages"


class Messages(RelayedApi):
    """Anthropic messages, plain or streamed."""

    api: ClassVar[Api] = "messages"
    request_type: ClassVar[type[RelayedRequest]] = MessagesRequest
    event_stream: ClassVar[type[EventStream]] = MessagesEventStream

    def headers(self, scope: Scope) -> Mapping[str, str]:
        return anthropic_headers(scope["headers"])

    def watch(self, request: RelayedRequest) -> RelayedStream:  # noqa: ARG002 - it asks for one
        return StreamedAnswer(name=REASONER)

    async def read_beginning(self, response: Response) -> bytes:
        return await read_beginning(response, name=REASONER)

    def check_completion(self, answer: bytes) -> Usage:
        return check_completion(answer, name=REASONER)

"""`POST /v1/chat/completions`: OpenAI's chat API, with eyes."""

from collections.abc import Mapping
from typing import ClassVar

from msgspec import Raw

from gateway.dialects.relayed_api import REASONER, RelayedApi
from gateway.dialects.relayed_request import RelayedRequest
from gateway.reasoning.served_dialects import Api
from racro.contracts.perception import Usage
from racro.servekit.chat_relay import (
    StreamedAnswer,
    check_completion,
    choices_of,
    read_beginning,
)
from racro.servekit.relayed_stream import RelayedStream
from racro.servekit.upstream import Response

_ONE = Raw(b"1")
# Of a number of answers; no more of it is looked at.
_MOST_DIGITS = 9


class ChatCompletions(RelayedApi):
    """OpenAI chat completions, plain or streamed."""

    api: ClassVar[Api] = "chat"

    def watch(self, request: RelayedRequest) -> RelayedStream:
        return StreamedAnswer(name=REASONER, choices=_choices_of(request.fields))

    async def read_beginning(self, response: Response) -> bytes:
        return await read_beginning(response, name=REASONER)

    def check_completion(self, answer: bytes) -> Usage:
        return check_completion(answer, name=REASONER)


def _choices_of(fields: Mapping[str, Raw]) -> int:
    """Return how many answers are asked for; what is no number is the reasoner's to judge."""
    digits = memoryview(fields.get("n", _ONE))[:_MOST_DIGITS].tobytes()
    return choices_of(int(digits) if digits.isdigit() else None)

"""Writes the answer of a chat as an Anthropic message: its events, and the whole of it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec

from racro.servekit.chat_stream import OpenChunk
from racro.servekit.responses import NotJson
from services.reasoner.answer import Answer
from services.reasoner.dialect_fields import Json
from services.reasoner.engine_api import Request
from services.reasoner.parts import AnswerParts, Change, Kind, Part

_STOP_REASONS = {"length": "max_tokens", "tool_calls": "tool_use"}
_DELTAS = {
    Kind.TEXT: ("text_delta", "text"),
    Kind.THOUGHTS: ("thinking_delta", "thinking"),
    Kind.CALL: ("input_json_delta", "partial_json"),
}


class MessageEvents:
    """Turns the chunks of one answer, in their order, into events; `whole` is their sum."""

    def __init__(self, request: Request, answer: Answer) -> None:
        self._model = request.model
        self._id = f"msg_{uuid4().hex}"
        self._answer = answer
        self._parts = AnswerParts()
        self._started = False
        self._output_tokens = 0

    def take(self, chunk: OpenChunk) -> Iterator[Json]:
        """Yield the events of a chunk."""
        if not self._started:
            self._started = True
            yield {"type": "message_start", "message": self.whole}
        for change in self._parts.take(chunk):
            yield _event(change)
        if not chunk["choices"]:
            yield from self._end(chunk["usage"]["completion_tokens"])

    def _end(self, output_tokens: int) -> Iterator[Json]:
        for change in self._parts.end():
            yield _event(change)
        self._output_tokens = output_tokens
        ended = {"stop_reason": self._stop_reason, "stop_sequence": None}
        yield {"type": "message_delta", "delta": ended, "usage": self._usage}
        yield {"type": "message_stop"}

    @property
    def whole(self) -> Json:
        """Return what there is of the message by now."""
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [_block(part) for part in self._parts.parts],
            "stop_reason": self._stop_reason,
            "stop_sequence": None,
            "usage": self._usage,
        }

    @property
    def _stop_reason(self) -> str | None:
        reason = self._parts.finish_reason
        return reason and _STOP_REASONS.get(reason, "end_turn")

    @property
    def _usage(self) -> Json:
        prompt, cached = self._answer.prompt_tokens, self._answer.cached_tokens
        return {
            "input_tokens": prompt - cached,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": self._output_tokens,
        }


def _event(change: Change) -> Json:
    part = change.part
    if change.what == "begins":
        return {"type": "content_block_start", "index": part.index, "content_block": _block(part)}
    if change.what == "ends":
        return {"type": "content_block_stop", "index": part.index}
    kind, name = _DELTAS[part.kind]
    delta = {"type": kind, name: change.piece}
    return {"type": "content_block_delta", "index": part.index, "delta": delta}


def _block(part: Part) -> Json:
    if part.kind is Kind.TEXT:
        return {"type": "text", "text": part.text}
    if part.kind is Kind.THOUGHTS:
        # Anthropic's have a signature; nobody signed these.
        return {"type": "thinking", "thinking": part.text, "signature": ""}
    return {"type": "tool_use", "id": part.call_id, "name": part.name, "input": _input(part.text)}


def _input(arguments: str) -> Any:
    """Return the arguments of a call; none of one that was cut short."""
    try:
        return msgspec.json.decode(arguments, type=dict)
    except NotJson:
        return {}

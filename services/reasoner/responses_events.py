"""Writes the answer of a chat as an OpenAI response: its events, and the whole of it."""

import time
from collections.abc import Iterator
from uuid import uuid4

from racro.contracts.completion import counted
from racro.servekit.chat_stream import OpenChunk
from services.reasoner.dialect_fields import Json
from services.reasoner.engine_api import Request
from services.reasoner.parts import AnswerParts, Change, Kind, Part

_IN_PROGRESS = "in_progress"
_EVENTS = {
    Kind.TEXT: "response.output_text",
    Kind.THOUGHTS: "response.reasoning_text",
    Kind.CALL: "response.function_call_arguments",
}
# Of the request, what a response tells again.
_TOLD = ("instructions", "max_output_tokens", "metadata", "temperature", "top_p")


class ResponseEvents:
    """Turns the chunks of one answer, in their order, into events; `whole` is their sum."""

    def __init__(self, request: Request) -> None:
        self._model = request.model
        self._id = uuid4().hex
        self._told = {name: request.body.get(name) for name in _TOLD}
        self._created = int(time.time())
        self._parts = AnswerParts()
        self._status = _IN_PROGRESS
        self._usage: Json | None = None
        self._number = 0

    def take(self, chunk: OpenChunk) -> Iterator[Json]:
        """Yield the events of a chunk."""
        if self._number == 0:
            yield self._event("response.created", response=self.whole)
            yield self._event("response.in_progress", response=self.whole)
        for change in self._parts.take(chunk):
            yield from self._changed(change)
        if not chunk["choices"]:
            yield from self._end(chunk["usage"])

    def _end(self, usage: Json) -> Iterator[Json]:
        self._status = "incomplete" if self._parts.finish_reason == "length" else "completed"
        for change in self._parts.end():
            yield from self._changed(change)
        self._usage = _counts(usage)
        yield self._event(f"response.{self._status}", response=self.whole)

    def _event(self, kind: str, **fields: object) -> Json:
        self._number += 1
        return {"type": kind, "sequence_number": self._number - 1, **fields}

    @property
    def whole(self) -> Json:
        """Return what there is of the response by now."""
        is_cut = self._status == "incomplete"
        return {
            "id": f"resp_{self._id}",
            "object": "response",
            "created_at": self._created,
            "status": self._status,
            "model": self._model,
            "output": [self._item(part) for part in self._parts.parts],
            "usage": self._usage,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "previous_response_id": None,
            "store": False,
            **self._told,
        }

    def _changed(self, change: Change) -> Iterator[Json]:
        part = change.part
        place = {"item_id": self._item_id(part), "output_index": part.index}
        if part.kind is not Kind.CALL:
            place["content_index"] = 0
        if change.what == "begins":
            yield from self._begin(part, place)
        elif change.what == "ends":
            yield from self._finish(part, place)
        else:
            fields = {**place, "delta": change.piece, **_probabilities(part)}
            yield self._event(f"{_EVENTS[part.kind]}.delta", **fields)

    def _begin(self, part: Part, place: Json) -> Iterator[Json]:
        item = self._item(part, _IN_PROGRESS)
        if part.kind is Kind.CALL:
            yield self._event("response.output_item.added", output_index=part.index, item=item)
            return
        empty = item | {"content": []}
        yield self._event("response.output_item.added", output_index=part.index, item=empty)
        yield self._event("response.content_part.added", **place, part=_content(part))

    def _finish(self, part: Part, place: Json) -> Iterator[Json]:
        done = f"{_EVENTS[part.kind]}.done"
        if part.kind is Kind.CALL:
            yield self._event(done, **place, name=part.name, arguments=part.text)
        else:
            yield self._event(done, **place, text=part.text, **_probabilities(part))
            yield self._event("response.content_part.done", **place, part=_content(part))
        item = self._item(part)
        yield self._event("response.output_item.done", output_index=part.index, item=item)

    def _item_id(self, part: Part) -> str:
        prefix = {Kind.TEXT: "msg", Kind.THOUGHTS: "rs", Kind.CALL: "fc"}[part.kind]
        return f"{prefix}_{self._id}_{part.index}"

    def _item(self, part: Part, status: str | None = None) -> Json:
        """Return a part as an item; the last one of an answer that is cut short is incomplete."""
        is_last = part is self._parts.parts[-1]
        is_cut = is_last and self._status == "incomplete"
        own = {
            "id": self._item_id(part),
            "status": status or ("incomplete" if is_cut else "completed"),
        }
        if part.kind is Kind.TEXT:
            return {**own, "type": "message", "role": "assistant", "content": [_content(part)]}
        if part.kind is Kind.THOUGHTS:
            return {**own, "type": "reasoning", "summary": [], "content": [_content(part)]}
        call = {"call_id": part.call_id, "name": part.name, "arguments": part.text}
        return {**own, "type": "function_call", **call}


def _content(part: Part) -> Json:
    if part.kind is Kind.THOUGHTS:
        return {"type": "reasoning_text", "text": part.text}
    return {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}


def _probabilities(part: Part) -> Json:
    return {"logprobs": []} if part.kind is Kind.TEXT else {}


def _counts(usage: Json) -> Json:
    count = counted(usage)
    details = usage.get("prompt_tokens_details") or {}
    return {
        "input_tokens": count.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": details.get("cached_tokens") or 0,
            "cache_write_tokens": 0,
        },
        "output_tokens": count.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": count.prompt_tokens + count.completion_tokens,
    }

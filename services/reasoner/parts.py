"""Cuts the answer of a chat into parts: thoughts, text and calls of tools, one after the other.

Responses and messages tell each part's beginning and end, of which the chunks of a chat tell
nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from racro.contracts.errors import UpstreamError
from racro.servekit.chat_stream import OpenChunk

_MOST_PARTS = 128


class Kind(Enum):
    THOUGHTS = "thoughts"
    TEXT = "text"
    CALL = "call"


@dataclass
class Part:
    """A part of an answer; of a call the text is its arguments, as JSON."""

    kind: Kind
    index: int
    pieces: list[str] = field(default_factory=list)
    call_id: str = ""
    name: str = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Change(NamedTuple):
    """A part that begins, that goes on by a piece of text, or that ends."""

    what: Literal["begins", "goes on", "ends"]
    part: Part
    piece: str = ""


class AnswerParts:
    """Follows the chunks of one answer: `parts` are those that there are until now."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.finish_reason: str | None = None
        self._open: Part | None = None
        self._call = -1

    def take(self, chunk: OpenChunk) -> Iterator[Change]:
        """Yield what a chunk changes."""
        for choice in chunk.get("choices") or ():
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            delta = choice.get("delta") or {}
            if thoughts := delta.get("reasoning_content"):
                yield from self._add(Kind.THOUGHTS, thoughts)
            if text := delta.get("content"):
                yield from self._add(Kind.TEXT, text)
            for call in delta.get("tool_calls") or ():
                yield from self._add_call(call)

    def end(self) -> Iterator[Change]:
        """Yield the end of the last part, if there is one."""
        if self._open is not None:
            yield Change("ends", self._open)
            self._open = None

    def _add(self, kind: Kind, piece: str) -> Iterator[Change]:
        if self._open is None or self._open.kind is not kind:
            yield from self._begin(kind)
        yield from self._go_on(piece)

    def _add_call(self, call: dict[str, Any]) -> Iterator[Change]:
        function = call.get("function") or {}
        if call["index"] != self._call or self._open is None or self._open.kind is not Kind.CALL:
            self._call = call["index"]
            # An answer's calls are told apart by it, also where a server gives none.
            call_id = call.get("id") or f"call_{uuid4().hex}"
            yield from self._begin(Kind.CALL, call_id, function.get("name") or "")
        if arguments := function.get("arguments"):
            yield from self._go_on(arguments)

    def _begin(self, kind: Kind, call_id: str = "", name: str = "") -> Iterator[Change]:
        yield from self.end()
        if len(self.parts) >= _MOST_PARTS:
            raise UpstreamError(f"the engine's answer has more than {_MOST_PARTS} parts")
        self._open = Part(kind, len(self.parts), call_id=call_id, name=name)
        self.parts.append(self._open)
        yield Change("begins", self._open)

    def _go_on(self, piece: str) -> Iterator[Change]:
        if self._open is not None:
            self._open.pieces.append(piece)
            yield Change("goes on", self._open, piece)

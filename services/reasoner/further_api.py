"""Serves what engines may have beside chats: relayed where they do, and else made of a chat."""

from abc import abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from starlette.types import Send

from racro.servekit.chat_stream import OpenChunk
from racro.servekit.responses import encode, send_response
from racro.servekit.sse import EventStream
from services.reasoner.answer import Answer
from services.reasoner.chunks import answer_to, read_answer
from services.reasoner.dialect_fields import Json
from services.reasoner.engine_api import Request, StreamedRelay


class Events(Protocol):
    """Makes the events of a dialect out of the chunks of one chat's answer."""

    def take(self, chunk: OpenChunk) -> Iterator[Json]:
        """Yield the events of a chunk, each with its name as `type`."""

    @property
    def whole(self) -> Json:
        """Return the plain answer that all events together are."""


class FurtherApi(StreamedRelay):
    """Serves another dialect over every engine.

    An engine without `more_apis` is asked for the chat that the request is, whose answer ends where
    it repeats itself, shows formulas' results, and stops as soon as its client leaves.
    """

    optional = True

    @abstractmethod
    def _as_chat(self, body: Json) -> Json:
        """Return the chat that a request is. Raises InvalidRequest."""

    @abstractmethod
    def _events(self, request: Request, answer: Answer) -> Events:
        """Return what makes the dialect's events."""

    def _parse(self, raw: bytes) -> Request:
        request = super()._parse(raw)
        if self._engine.traits.more_apis:
            return request
        return request._replace(chat=self._as_chat(request.body))

    async def _stream(self, request: Request, out: EventStream) -> None:
        if request.chat is None:
            await super()._stream(request, out)
            return
        events, chunks = self._made(request, request.chat)
        async for chunk in chunks:
            for event in events.take(chunk):
                await out.event(event["type"], event)

    async def _plain(self, request: Request, send: Send) -> None:
        if request.chat is None:
            await super()._plain(request, send)
            return
        events, chunks = self._made(request, request.chat)
        async for chunk in chunks:
            deque(events.take(chunk), maxlen=0)
        await send_response(send, encode(events.whole))

    def _made(self, request: Request, chat: Json) -> tuple[Events, AsyncIterator[OpenChunk]]:
        """Return what makes the events, and the chunks of the chat that they are made of."""
        asked = request._replace(body=chat)
        answer = answer_to(asked)
        return self._events(request, answer), read_answer(self._engine, asked, answer)

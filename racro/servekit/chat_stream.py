"""Reads streamed chat completions of OpenAI's API from an upstream."""

from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial
from typing import Any, TypeVar

import msgspec

from racro.base.lone_surrogates import without_lone_surrogates
from racro.contracts.completion import Chunk, is_failure
from racro.contracts.errors import RacroError, UpstreamError, UpstreamUnavailable
from racro.servekit.error_bodies import decode
from racro.servekit.json_bounds import may_hold_more
from racro.servekit.relay import error_from_event, has_other_content, no_completion
from racro.servekit.responses import NotJson
from racro.servekit.sse import Event, Readable, is_other_event, read_events
from racro.servekit.tasks import off_loop_if_large

OpenChunk = dict[str, Any]

_Decoded = TypeVar("_Decoded")
_DONE = b"[DONE]"
_ERROR = "error"
# One chunk has some hundreds, with the most log probabilities that can be asked for.
_MANY_VALUES = 100_000
# Of what is no event stream, so much is looked at.
_BEGINNING_BYTES = 4 * 2**10
_decoder = msgspec.json.Decoder(Chunk)
_open_decoder = msgspec.json.Decoder(OpenChunk)


async def read_chunks(response: Readable, *, name: str, choices: int = 1) -> AsyncGenerator[Chunk]:
    """Yield the chunks of an answer until `[DONE]`, or the stream's end where all has been said.

    All has been said when each of the `choices` has a `finish_reason`; counts may come after that,
    and what fails then costs no answer. Before that this raises what an error in the stream means,
    UpstreamError where upstream `name` sends something else, and UpstreamUnavailable where it fails
    or breaks off.
    """
    ended: set[int] = set()
    try:
        async for event in _events(response, name):
            if event.data.strip() == _DONE:
                return
            chunk = _decode(_decoder, event.data, name)
            if chunk is None and (chunk := await _decode_mended(_decoder, event, name)) is None:
                continue
            if chunk.has_failed:
                raise error_from_event(event.data, name=name)
            for choice in chunk.choices or ():
                if choice.finish_reason:
                    ended.add(choice.number)
            yield chunk
    except RacroError:
        if len(ended) < choices:
            raise
    if len(ended) < choices:
        raise UpstreamUnavailable(f"the {name} broke off its answer")


async def read_open_chunks(response: Readable, *, name: str) -> AsyncGenerator[OpenChunk]:
    """Yield the chunks with all of their fields, to be passed on, until `[DONE]` or the end.

    Raises as `read_chunks`, but for an answer that was broken off: the reader has to find that out.
    """
    async for event in _events(response, name):
        if event.data.strip() == _DONE:
            return
        chunk = _decode(_open_decoder, event.data, name)
        if chunk is None and (chunk := await _decode_mended(_open_decoder, event, name)) is None:
            continue
        has_failed = is_failure(chunk.get("error"), chunk.get("choices"))
        if has_failed or chunk.get("object") == _ERROR:
            raise error_from_event(event.data, name=name)
        yield chunk


class _Answer:
    """Gives the pieces of an answer, and keeps its beginning."""

    def __init__(self, response: Readable) -> None:
        self._response = response
        self.beginning = b""

    async def readany(self) -> bytes:
        piece = await self._response.readany()
        if len(self.beginning) < _BEGINNING_BYTES:
            self.beginning += piece
        return piece


async def _events(response: Readable, name: str) -> AsyncIterator[Event]:
    """Yield the events of an answer. Raises as `read_chunks` for one that has none."""
    answer, has_events = _Answer(response), False
    async for event in read_events(answer):
        has_events = True
        if event.name == _ERROR:
            raise error_from_event(event.data, name=name)
        yield event
    if not has_events and has_other_content(answer.beginning):
        raise no_completion(answer.beginning, name=name, expected="a chat completion")


def _decode(decoder: "msgspec.json.Decoder[_Decoded]", data: bytes, name: str) -> _Decoded | None:
    """Return a chunk; None where it cannot be decoded as it is. Raises UpstreamError."""
    if len(data) > _MANY_VALUES and may_hold_more(data, _MANY_VALUES):
        raise UpstreamError(f"the {name} sent an event of too many values")
    try:
        return decoder.decode(data)
    except NotJson:
        return None


async def _decode_mended(
    decoder: "msgspec.json.Decoder[_Decoded]", event: Event, name: str
) -> _Decoded | None:
    """Return a chunk with halves of surrogate pairs; None for an event that is no chunk at all.

    Raises what an error means, and UpstreamError for a chunk that cannot be read.
    """
    data = event.data
    try:
        mend = partial(without_lone_surrogates, data)
        return decoder.decode(await off_loop_if_large(len(data), mend))
    except NotJson as error:
        if is_other_event(event):
            return None
        if isinstance(decode(data), list) and b'"error"' in data:
            # As Google's APIs wrap it.
            raise error_from_event(data, name=name) from error
        raise UpstreamError(f"the {name} sent something else than a chat completion") from error

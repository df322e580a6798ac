"""Reads streamed chat completions of OpenAI's API from an upstream."""

from collections.abc import AsyncGenerator
from typing import Any, TypeVar

import msgspec

from racro.contracts.completion import Chunk
from racro.contracts.errors import UpstreamError, UpstreamUnavailable
from racro.servekit.json_bounds import may_hold_more
from racro.servekit.responses import NotJson
from racro.servekit.sse import Readable, read_events

OpenChunk = dict[str, Any]

_Decoded = TypeVar("_Decoded")
_DONE = b"[DONE]"
# One chunk has some hundreds, with the most log probabilities that can be asked for.
_MANY_VALUES = 100_000
_decoder = msgspec.json.Decoder(Chunk)
_open_decoder = msgspec.json.Decoder(OpenChunk)


async def read_chunks(response: Readable, *, name: str, choices: int = 1) -> AsyncGenerator[Chunk]:
    """Yield the chunks of an answer until `[DONE]`, or the stream's end where all has been said.

    All has been said when each of the `choices` has a `finish_reason`; counts may come after that.
    Raises UpstreamError where upstream `name` sends something else, and UpstreamUnavailable where
    it fails or breaks off.
    """
    ended = set()
    async for event in read_events(response):
        if event.data == _DONE:
            return
        chunk = _decode(_decoder, event.data, name)
        _check(chunk.error, name)
        for choice in chunk.choices or ():
            if choice.finish_reason:
                ended.add(choice.index or 0)
        yield chunk
    if len(ended) < choices:
        raise UpstreamUnavailable(f"the {name} broke off its answer")


async def read_open_chunks(response: Readable, *, name: str) -> AsyncGenerator[OpenChunk]:
    """Yield the chunks with all of their fields, to be passed on, until `[DONE]` or the end.

    Raises as `read_chunks`, but for an answer that was broken off: the reader has to find that out.
    """
    async for event in read_events(response):
        if event.data == _DONE:
            return
        chunk = _decode(_open_decoder, event.data, name)
        _check(chunk.get("error"), name)
        yield chunk


def _decode(decoder: "msgspec.json.Decoder[_Decoded]", data: bytes, name: str) -> _Decoded:
    if len(data) > _MANY_VALUES and may_hold_more(data, _MANY_VALUES):
        raise UpstreamError(f"the {name} sent an event of too many values")
    try:
        return decoder.decode(data)
    except NotJson as error:
        raise UpstreamError(f"the {name} sent something else than a chat completion") from error


def _check(error: object, name: str) -> None:
    if error is not None:
        raise UpstreamUnavailable(f"the {name} failed while it was answering")

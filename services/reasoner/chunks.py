"""Asks an engine that streams alone for a chat, and reads what its client gets."""

from collections.abc import AsyncIterator

from racro.engines.engine import Engine
from racro.servekit.chat_stream import OpenChunk, read_open_chunks
from racro.servekit.relay import raise_for_status
from racro.servekit.tracing import generation
from services.reasoner.answer import Answer
from services.reasoner.engine_api import ENGINE, Request

_CHAT = "/chat/completions"


def answer_to(request: Request) -> Answer:
    """Return what makes the answer to a chat."""
    return Answer(request.model, request.served, request.body)


async def read_answer(engine: Engine, request: Request, answer: Answer) -> AsyncIterator[OpenChunk]:
    """Yield the chunks that `answer` makes of the engine's stream; the last one counts the tokens.

    `request` is a chat. Raises what an error of the engine means, UpstreamUnavailable where it
    breaks off.
    """
    asked = {**request.for_engine, "stream": True, "stream_options": {"include_usage": True}}
    with generation(engine.model):
        async with engine.post(_CHAT, asked) as response:
            await raise_for_status(response, name=ENGINE)
            async for chunk in read_open_chunks(response, name=ENGINE):
                for one in answer.take(chunk):
                    yield one
                if answer.is_cut_short:
                    break
    yield answer.last()

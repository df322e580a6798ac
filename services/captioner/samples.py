"""Samples texts from a vision engine over its chat API."""

from functools import partial
from typing import Any

from racro.contracts.completion import RESULTS, Chunk, failed_ending
from racro.contracts.errors import UpstreamError
from racro.contracts.perception import Delta, Generation, OnDelta, Part, Usage
from racro.engines.engine import Engine
from racro.servekit.chat_stream import read_chunks
from racro.servekit.tasks import all_of

Body = dict[str, Any]

_ENGINE = "vision engine"


async def sample(
    engine: Engine, part: Part, body: Body, *, n: int, on_delta: OnDelta
) -> tuple[Generation, ...]:
    """Return `n` texts that answer the chat request `body`; `on_delta` gets each piece as it comes.

    Raises UpstreamError where the engine fails, and where one of the texts is empty or was not
    ended by the model or the limit of tokens.
    """
    if n == 1:
        return await _stream(engine, body, _Samples(part), on_delta)
    if not engine.traits.single_samples:
        return await _stream(engine, {**body, "n": n}, _Samples(part, n=n), on_delta)
    apart = await all_of(
        _stream(engine, _reseeded(body, index), _Samples(part, first=index), on_delta)
        for index in range(n)
    )
    return tuple(text for [text] in apart)


def _reseeded(body: Body, index: int) -> Body:
    """Return the body with a seed of its own: with one for all, all samples would be the same."""
    return {**body, "seed": body["seed"] + index} if "seed" in body else body


async def _stream(
    engine: Engine, body: Body, samples: "_Samples", on_delta: OnDelta
) -> tuple[Generation, ...]:
    streamed = {**body, "stream": True, "stream_options": {"include_usage": True}}
    post = partial(engine.chat, name=_ENGINE)
    async with engine.own_fields.ask(post, streamed, name=_ENGINE) as response:
        async for chunk in read_chunks(response, name=_ENGINE, choices=samples.number):
            for delta in samples.take(chunk):
                await on_delta(delta)
    return samples.generations()


class _Samples:
    """Gathers the n texts of one streamed completion; `first` is the number of its first one."""

    def __init__(self, part: Part, *, n: int = 1, first: int = 0) -> None:
        self.number = n
        self._part = part
        self._first = first
        self._texts: list[list[str]] = [[] for _ in range(n)]
        self._finish_reasons: list[str | None] = [None] * n
        self._usage = Usage()

    def take(self, chunk: Chunk) -> list[Delta]:
        """Return the pieces that a chunk adds to the texts."""
        self._usage = chunk.tokens or self._usage
        deltas = []
        for choice in chunk.choices or ():
            index = choice.number
            if not 0 <= index < self.number:
                continue
            self._finish_reasons[index] = choice.finish_reason or self._finish_reasons[index]
            if text := choice.content:
                self._texts[index].append(text)
                deltas.append(Delta(part=self._part, index=self._first + index, text=text))
        return deltas

    def generations(self) -> tuple[Generation, ...]:
        """Return the whole texts. The engine counts the tokens of all together: the first has them.

        Raises UpstreamError where one is empty, or ended otherwise than at its end or its limit of
        tokens.
        """
        endings = self._endings()
        texts = ["".join(pieces) for pieces in self._texts]
        if not all(text.strip() for text in texts):
            raise UpstreamError(f"the {_ENGINE} answered with an empty {self._part}")
        return tuple(
            Generation(
                text=text,
                finish_reason=finish_reason,
                usage=self._usage if index == 0 else Usage(),
            )
            for index, (text, finish_reason) in enumerate(zip(texts, endings, strict=True))
        )

    def _endings(self) -> list[str]:
        """Return how the texts ended. Raises UpstreamError."""
        for finish_reason in self._finish_reasons:
            if finish_reason not in RESULTS:
                raise failed_ending(finish_reason, name=_ENGINE)
        return [finish_reason for finish_reason in self._finish_reasons if finish_reason]

"""The reasoners, by the name that clients choose as `model`."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from gateway.settings import ReasonerSection
from racro.contracts.errors import (
    UnknownModel,
    UpstreamError,
    UpstreamUnavailable,
)
from racro.contracts.perception import Usage
from racro.servekit.relay import raise_for_status
from racro.servekit.responses import NotJson
from racro.servekit.settings import api_key
from racro.servekit.sse import read_events
from racro.servekit.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event of a reasoner's stream brought."""

    content: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


class Reasoner:
    def __init__(self, name: str, settings: ReasonerSection, upstream: Upstream) -> None:
        self.name = name
        self.settings = settings
        self._upstream = upstream
        self._revision: str | None = None

    def chat(self, body: bytes) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Its chat API as it is; `body` is the encoded request."""
        return self._upstream.post("/chat/completions", body)

    async def stream(self, messages: list[dict[str, str]]) -> AsyncGenerator[Piece]:
        """The answer to `messages` with this reasoner's own sampling, piece by piece.

        Raises an UpstreamError, or ContextLengthExceeded if it says that the messages are too long.
        """
        body = {
            "model": self.settings.model,
            "messages": messages,
            **self.settings.sampling.model_dump(),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async with self._upstream.post("/chat/completions", body) as response:
            await raise_for_status(response, name="reasoner")
            async for event in read_events(response.content):
                if event.data == b"[DONE]":
                    return
                yield _parse(event.data)
        raise UpstreamUnavailable("the reasoner broke off its answer")

    async def check(self) -> None:
        """Raises UpstreamError unless it lists its models."""
        self._revision = _revision(await self._upstream.get_json("/models"), self.settings.model)

    async def revision(self) -> str | None:
        """Of its weights, if it tells; asked once, and again after each check."""
        if self._revision is None:
            try:
                await self.check()
            except UpstreamError:
                return None
        return self._revision


def _revision(listing: Any, model: str) -> str | None:
    cards = listing.get("data", ()) if isinstance(listing, dict) else ()
    for card in cards:
        if isinstance(card, dict) and card.get("id") == model:
            revision = card.get("revision")
            return revision if isinstance(revision, str) else None
    return None


def _parse(data: bytes) -> Piece:
    try:
        chunk = msgspec.json.decode(data, type=dict[str, Any])
    except NotJson as error:
        raise UpstreamError("the reasoner sent something else than JSON") from error
    if "error" in chunk:
        raise UpstreamUnavailable("the reasoner failed while it was answering")
    choice: dict[str, Any] = next(iter(chunk.get("choices") or ()), {})
    delta = choice.get("delta") or {}
    usage = chunk.get("usage")
    return Piece(
        content=delta.get("content") or "",
        # vLLM and SGLang say reasoning_content or, in later releases, reasoning.
        reasoning=delta.get("reasoning_content") or delta.get("reasoning") or "",
        finish_reason=choice.get("finish_reason"),
        usage=Usage(
            prompt_tokens=usage.get("prompt_tokens") or 0,
            completion_tokens=usage.get("completion_tokens") or 0,
        )
        if usage
        else None,
    )


class Reasoners:
    def __init__(
        self, settings: Mapping[str, ReasonerSection], session: aiohttp.ClientSession
    ) -> None:
        self._by_name = {
            name: Reasoner(
                name,
                reasoner,
                Upstream(
                    session, reasoner.url, name="reasoner", api_key=api_key(reasoner.api_key_env)
                ),
            )
            for name, reasoner in settings.items()
        }

    def __iter__(self) -> Iterator[Reasoner]:
        return iter(self._by_name.values())

    def named(self, name: str) -> Reasoner:
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownModel(
                "no such model; GET /v1/models lists those there are", param="model"
            ) from None

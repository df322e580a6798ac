"""Passing an upstream's answer on: as it comes, or as an error of our tree."""

import re
from typing import Any

import aiohttp
import msgspec

from racro.contracts.errors import (
    ContextLengthExceeded,
    InvalidRequest,
    RacroError,
    RateLimited,
    Unauthenticated,
    UnknownModel,
    UpstreamError,
    UpstreamUnavailable,
    error_from_envelope,
)
from racro.servekit.responses import NotJson
from racro.servekit.sse import EventStream

_OK = 200
_UNAUTHORIZED = (401, 403)
# In the words of OpenAI, llama.cpp, vLLM and SGLang.
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context length|maximum model length"
)


async def relay_stream(response: aiohttp.ClientResponse, out: EventStream) -> None:
    """What one read brought goes out in one send."""
    while chunk := await response.content.readany():
        await out.write(chunk)


async def raise_for_status(response: aiohttp.ClientResponse, *, name: str) -> None:
    """Raise what an unsuccessful answer of upstream `name` means to our client."""
    if response.status != _OK:
        raise error_from_answer(response.status, await response.read(), name=name)


def error_from_answer(status: int, body: bytes, *, name: str) -> RacroError:
    """Errors of our own services pass through; those of others find their place in the tree."""
    parsed = _decode(body)
    ours = error_from_envelope(parsed)
    # A key that an upstream refuses is none of our client's, and the answer may quote it.
    if ours is not None and not isinstance(ours, Unauthenticated):
        return ours
    message = _message(parsed) or f"the {name} refused the request"
    if status >= 500:  # noqa: PLR2004
        return UpstreamUnavailable(f"the {name} failed with status {status}")
    if status < 400:  # noqa: PLR2004
        return UpstreamError(f"the {name} answered with status {status}")
    if ours is not None or status in _UNAUTHORIZED:
        return UpstreamError(f"the {name} refused the credentials it is configured with")
    if _TOO_LONG.search(body.decode(errors="replace")):
        return ContextLengthExceeded(message)
    refusal: type[RacroError] = {404: UnknownModel, 429: RateLimited}.get(status, InvalidRequest)
    return refusal(message)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except NotJson:
        return None


def _message(parsed: Any) -> str | None:
    match parsed:
        case {"error": {"message": str(message)}} | {"message": str(message)}:
            return message
    return None

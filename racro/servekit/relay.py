"""What an unsuccessful answer of an upstream means: an error of our tree."""

import re
from typing import Any

import msgspec

from racro.contracts.errors import (
    ContextLengthExceeded,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    NotStarted,
    Overloaded,
    RacroError,
    RateLimited,
    Unauthenticated,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamUnavailable,
    error_from_envelope,
)
from racro.servekit.responses import NotJson
from racro.servekit.upstream import Response, is_safe_to_retry

_OK = 200
_TOO_MANY = 429
# What is longer quotes the request, and its size is the client's choice.
_LONGEST_ERROR = 64 * 2**10
# In the words of OpenAI, llama.cpp, vLLM and SGLang.
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context length|maximum model length"
)


async def raise_for_status(response: Response, *, name: str) -> None:
    """Raise what an unsuccessful answer of upstream `name` means to our client."""
    if response.status == _OK:
        return
    error = error_from_answer(response.status, await _read_start(response), name=name)
    if not is_safe_to_retry(response):
        raise error
    if isinstance(error, Overloaded):
        raise UpstreamOverloaded(error.message)
    raise NotStarted(error.message)


async def _read_start(response: Response) -> bytes:
    """Return a body, or a little more than what an error needs of it."""
    pieces, size = [], 0
    while size <= _LONGEST_ERROR and (piece := await response.readany()):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def error_from_answer(status: int, body: bytes, *, name: str) -> RacroError:
    """Errors of our own services pass through; those of others find their place in the tree."""
    parsed = _decode(body)
    ours = error_from_envelope(parsed)
    if isinstance(ours, DeadlineExceeded):
        # The limit that it names is that service's own, or what it was given by us.
        return DeadlineExceeded(f"the {name}: {ours.message}")
    # A key that an upstream refuses is none of our client's, and the answer may quote it; nor is
    # a model that it does not know.
    if ours is not None and not isinstance(ours, Unauthenticated | NotFound):
        return ours
    if failure := _failure(status if ours is None else ours.status, name):
        return failure
    message = _message(parsed) or f"the {name} refused the request"
    if _TOO_LONG.search(body[:_LONGEST_ERROR].decode(errors="replace")):
        return ContextLengthExceeded(message)
    return RateLimited(message) if status == _TOO_MANY else InvalidRequest(message)


def _failure(status: int, name: str) -> RacroError | None:
    """What the client cannot mend."""
    match status:
        case 401 | 403:
            return UpstreamError(f"the {name} refused the credentials it is configured with")
        case 404:
            return UpstreamError(f"the {name} does not know the model or path it is asked for")
        case 503:
            return NotStarted(f"the {name} is not available")
    if status >= 500:  # noqa: PLR2004
        return UpstreamUnavailable(f"the {name} failed with status {status}")
    if status < 400:  # noqa: PLR2004
        return UpstreamError(f"the {name} answered with status {status}")
    return None


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

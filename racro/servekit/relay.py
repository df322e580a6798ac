"""What an unsuccessful answer of an upstream means: an error of our tree."""

import re
from collections.abc import Mapping

from racro.contracts.client import retry_after_s
from racro.contracts.errors import (
    ContextLengthExceeded,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    NotStarted,
    Overloaded,
    RacroError,
    RateLimited,
    RequestError,
    Unauthenticated,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamUnavailable,
    error_from_envelope,
)
from racro.servekit.error_bodies import decode, message_of, says_too_long, status_of
from racro.servekit.responses import BYTE_ORDER_MARK
from racro.servekit.upstream import Response, is_safe_to_retry

SUCCESSES = range(200, 300)
_TOO_MANY = 429
_INTERNAL_ERROR = 500
# What is longer quotes the request, and its size is the client's choice.
_LONGEST_ERROR = 64 * 2**10
_LIMITS = "x-ratelimit-"
_EVENT_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
_MOST_LIMITS = 16
# Of the upstream's settings or account, not of the request.
_NOT_THE_CLIENTS = {
    401: "refused the credentials it is configured with",
    402: "has no credit on the account that it is asked with",
    403: "refused the credentials it is configured with",
    404: "does not know the model or path it is asked for",
}
_SHORT = re.compile(r"[\x20-\x7e]{1,200}")


async def raise_for_status(response: Response, *, name: str) -> None:
    """Raise what an unsuccessful answer of upstream `name` means to our client.

    When to try again, and what is left of a rate limit, is passed on from the upstream's headers.
    """
    if response.status in SUCCESSES:
        return
    error = error_from_answer(response.status, await _read_start(response), name=name)
    if is_safe_to_retry(response):
        kind = UpstreamOverloaded if isinstance(error, Overloaded) else NotStarted
        error = kind(error.message)
    if error.retry_after_s is not None:
        _pass_on_limits(error, response.headers)
    raise error


def _pass_on_limits(error: RacroError, headers: Mapping[str, str]) -> None:
    if (wait_s := retry_after_s(headers)) is not None:
        error.retry_after_s = wait_s
    limits = [
        (header.encode(), value.encode())
        for header, value in headers.items()
        if header.startswith(_LIMITS) and _SHORT.fullmatch(header) and _SHORT.fullmatch(value)
    ]
    error.headers = (*error.headers, *limits[:_MOST_LIMITS])


async def _read_start(response: Response) -> bytes:
    """Return a body, or a little more than what an error needs of it."""
    pieces, size = [], 0
    while size <= _LONGEST_ERROR and (piece := await response.readany()):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def error_from_answer(status: int, body: bytes, *, name: str) -> RacroError:
    """Errors of our own services pass through; those of others find their place in the tree."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    ours = error_from_envelope(decode(body))
    if isinstance(ours, DeadlineExceeded):
        # The limit that it names is that service's own, or what it was given by us.
        return DeadlineExceeded(f"the {name}: {ours.message}")
    # A key that an upstream refuses is none of our client's, and the answer may quote it; nor is
    # a model that it does not know.
    if ours is not None and not isinstance(ours, Unauthenticated | NotFound):
        return ours
    return _error_of_another(status if ours is None else ours.status, body, name)


def _error_of_another(status: int, body: bytes, name: str) -> RacroError:
    """Return the place in our tree of an error of a server that is none of ours."""
    parsed = decode(body)
    message = message_of(body, parsed) or f"the {name} refused the request"
    is_too_long = says_too_long(body[:_LONGEST_ERROR], parsed)
    # llama.cpp's older servers said so with 500.
    if is_too_long and status == _INTERNAL_ERROR:
        return ContextLengthExceeded(message)
    if failure := _failure(status, name):
        return failure
    if status == _TOO_MANY:
        return RateLimited(message)
    return ContextLengthExceeded(message) if is_too_long else InvalidRequest(message)


def error_from_event(data: bytes, *, name: str) -> RacroError:
    """Return what an error object within the stream of upstream `name` means to our client.

    Without a status it is a failure of the upstream, unless it says that the request is too long.
    """
    parsed = decode(data)
    status = status_of(parsed) or _INTERNAL_ERROR
    error = error_from_answer(status, data, name=name)
    if isinstance(error, UpstreamUnavailable) and error_from_envelope(parsed) is None:
        # It had accepted the request: work may have begun.
        return UpstreamUnavailable(f"the {name} failed while it was answering")
    return error


def has_other_content(beginning: bytes) -> bool:
    """Tell whether an answer without events has something else than comments and empty lines."""
    lines = beginning.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    return any(line.strip() and not line.startswith(_EVENT_FIELDS) for line in lines)


def no_completion(beginning: bytes, *, name: str) -> UpstreamError:
    """Return the error of a successful answer whose body begins so and is no chat completion."""
    came = _kind_of(beginning.removeprefix(BYTE_ORDER_MARK).lstrip(), name)
    return UpstreamError(f"the {name} answered with {came} instead of a chat completion")


def _kind_of(body: bytes, name: str) -> str:
    if not body:
        return "nothing"
    if body.startswith(b"<"):
        return "an HTML page"
    if body.startswith(_EVENT_FIELDS):
        return "an event stream"
    parsed = decode(body)
    if isinstance(parsed, dict | list) and b'"error"' in body:
        error = error_from_event(body, name=name)
        # What the client cannot mend may quote a key or an address.
        return f"an error ({error.message})" if isinstance(error, RequestError) else "an error"
    if parsed is not None or body.startswith((b"{", b"[")):
        return "other JSON"
    return "something else"


def _failure(status: int, name: str) -> RacroError | None:
    """What the client cannot mend."""
    if why := _NOT_THE_CLIENTS.get(status):
        return UpstreamError(f"the {name} {why}")
    if status == NotStarted.status:
        return NotStarted(f"the {name} is not available")
    if status >= _INTERNAL_ERROR:
        return UpstreamUnavailable(f"the {name} failed with status {status}")
    if status < 400:  # noqa: PLR2004
        return UpstreamError(f"the {name} answered with status {status}")
    return None

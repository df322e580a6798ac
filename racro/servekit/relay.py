"""What an unsuccessful answer of an upstream means: an error of our tree."""

import re
from collections.abc import Mapping
from typing import Any

from racro.contracts.client import retry_after_s
from racro.contracts.errors import (
    ApiOverloaded,
    ContextLengthExceeded,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    NotStarted,
    Overloaded,
    QueueFull,
    RacroError,
    RateLimited,
    RequestError,
    TooLarge,
    Unauthenticated,
    UpstreamError,
    UpstreamOverloaded,
    UpstreamUnavailable,
    error_from_envelope,
)
from racro.servekit.error_bodies import (
    decode,
    message_of,
    says_credentials,
    says_overloaded,
    says_too_long,
    says_too_often,
    status_of,
    status_of_kind,
)
from racro.servekit.redaction import redacted, speaks_of_credentials
from racro.servekit.responses import BYTE_ORDER_MARK
from racro.servekit.upstream import OVERLOADED, Response, is_safe_to_retry

SUCCESSES = range(200, 300)
_REFUSED_KEY = 401
_NO_CREDIT = 402
_TOO_MANY = 429
_INTERNAL_ERROR = 500
# What is longer quotes the request, and its size is the client's choice.
_LONGEST_ERROR = 64 * 2**10
_EVENT_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
# The spellings of OpenAI, Azure, Groq, Together, Cerebras, SambaNova and Fireworks.
_LIMIT = re.compile(
    r"x-ratelimit-(?:limit|remaining|reset)(?:-(?:requests|tokens))?(?:-(?:1m|minute|hour|day))?"
)
_FIGURE = re.compile(r"[0-9][0-9A-Za-z.:,;=+ -]{0,39}")
# Of the upstream's settings or account, not of the request.
_NOT_THE_CLIENTS = {
    401: "refused the credentials it is configured with",
    402: "has no credit on the account that it is asked with",
    403: "refused the credentials it is configured with",
    404: "does not know the model or path it is asked for",
    405: "takes no requests at the path it is asked at",
    407: "is behind a proxy that wants credentials",
    410: "has no longer the model or path it is asked for",
}
# A model that is being loaded; what is too early.
_NOT_YET = {409, 425}
# It ran out of time, failed inside (TGI), or thinks that we had hung up.
_BROKEN_OFF = {408, 424, 499}
# With those a request is refused for what it is.
_OF_THE_REQUEST = {400, 413, 422}


async def raise_for_status(response: Response, *, name: str) -> None:
    """Raise what an unsuccessful answer of upstream `name` means to our client.

    When to try again, and what is left of a rate limit, is passed on from the upstream's headers.
    """
    if response.status in SUCCESSES:
        return
    error = error_from_answer(response.status, await _read_start(response), name=name)
    if is_safe_to_retry(response) and not isinstance(error, NotStarted):
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
        if _LIMIT.fullmatch(header.lower()) and _FIGURE.fullmatch(value)
    ]
    error.headers = (*error.headers, *limits)


async def _read_start(response: Response) -> bytes:
    """Return a body, or a little more than what an error needs of it."""
    pieces, size = [], 0
    while size <= _LONGEST_ERROR and (piece := await response.readany()):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def error_from_answer(status: int, body: bytes, *, name: str) -> RacroError:
    """Return what an answer of upstream `name` with an error status means to our client.

    Errors of our own services pass through; those of others find their place in the tree. What
    they say is redacted.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    parsed = decode(body)
    if ours := error_from_envelope(parsed, status=status):
        return _passed_on(ours, name)
    return _error_of_another(status, body, parsed, name)


def error_from_event(data: bytes, *, name: str) -> RacroError:
    """Return what an error object within the stream of upstream `name` means to our client.

    Without a status it is a failure of the upstream, unless it says that the request is too long,
    that it is asked too often, or that it has no room.
    """
    parsed = decode(data)
    if ours := error_from_envelope(parsed):
        return _passed_on(ours, name)
    error = _error_of_another(status_of(parsed), data, parsed, name)
    if isinstance(error, UpstreamUnavailable):
        if says_overloaded(parsed):
            return QueueFull(f"the {name} has no room for it now")
        # It had accepted the request: work may have begun.
        return UpstreamUnavailable(f"the {name} failed while it was answering")
    return error


def _passed_on(error: RacroError, name: str) -> RacroError:
    """Return an error that one of our services reported, or a server that uses our codes."""
    # A key that an upstream refuses is none of our client's, nor is a model it does not know.
    if isinstance(error, Unauthenticated | NotFound):
        return _not_the_clients(error.status, name)
    if isinstance(error, RequestError) and speaks_of_credentials(error.message):
        return _not_the_clients(_REFUSED_KEY, name)
    if error.code == RacroError.code:
        return RacroError("internal error")
    message = redacted(error.message)
    if isinstance(error, DeadlineExceeded):
        # The limit that it names is that service's own, or what it was given by us.
        message = f"the {name}: {message}"
    return type(error)(message, param=error.param and redacted(error.param))


def _error_of_another(status: int | None, body: bytes, parsed: Any, name: str) -> RacroError:
    """Return the place in our tree of an error of a server that is none of ours.

    Its status is None where it is not known, as within a stream.
    """
    if status == _TOO_MANY and status_of_kind(parsed) == _NO_CREDIT:
        status = _NO_CREDIT
    message = redacted(message_of(body, parsed) or "") or f"the {name} refused the request"
    is_of_the_request = status is None or status in _OF_THE_REQUEST
    if is_of_the_request and says_too_often(body, parsed):
        status = _TOO_MANY
    if status == _TOO_MANY:
        # Of these many point to where more can be bought.
        is_shown = not says_credentials(body, parsed)
        return RateLimited(message if is_shown else f"the {name} is asked too often")
    if is_of_the_request and says_too_long(body[:_LONGEST_ERROR], parsed):
        return ContextLengthExceeded(message)
    if failure := _failure(_INTERNAL_ERROR if status is None else status, name):
        return failure
    if says_credentials(body, parsed):
        return _not_the_clients(_REFUSED_KEY, name)
    return _too_large(message) if status == TooLarge.status else InvalidRequest(message)


def _too_large(message: str) -> TooLarge:
    """Return the error of a request that an upstream refused for its size, and we had read."""
    error = TooLarge(message)
    error.headers = ()
    return error


def has_other_content(beginning: bytes) -> bool:
    """Tell whether an answer without events has something else than comments and empty lines."""
    lines = beginning.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    return any(line.strip() and not line.startswith(_EVENT_FIELDS) for line in lines)


def no_completion(beginning: bytes, *, name: str, expected: str) -> UpstreamError:
    """Return the error of a successful answer whose body begins so and is not what was expected.

    `expected` is what it should have been, with its article.
    """
    came = _kind_of(beginning.removeprefix(BYTE_ORDER_MARK).lstrip(), name)
    return UpstreamError(f"the {name} answered with {came} instead of {expected}")


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


def _not_the_clients(status: int, name: str) -> UpstreamError:
    return UpstreamError(f"the {name} {_NOT_THE_CLIENTS[status]}")


def _failure(status: int, name: str) -> RacroError | None:
    """What the client cannot mend."""
    if status in _NOT_THE_CLIENTS:
        return _not_the_clients(status, name)
    if status == OVERLOADED:
        return ApiOverloaded(f"the {name} has no room for it now")
    if status == NotStarted.status or status in _NOT_YET:
        return NotStarted(f"the {name} is not available")
    if status >= _INTERNAL_ERROR or status in _BROKEN_OFF:
        return UpstreamUnavailable(f"the {name} failed with status {status}")
    if status < 400:  # noqa: PLR2004
        return UpstreamError(f"the {name} answered with status {status}")
    return None

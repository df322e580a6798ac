"""The error tree: every failure that a client may see, with its status and code.

    RacroError                      500  internal
    ├── RequestError
    │   ├── InvalidRequest          400  invalid_request
    │   │   ├── InvalidImage        400  invalid_image
    │   │   ├── ContextLengthExceeded 400 context_length_exceeded
    │   │   └── DialectUnsupported  400  dialect_unsupported
    │   ├── Unauthenticated         401  invalid_api_key
    │   ├── UrlForbidden            403  url_forbidden
    │   ├── NotFound                404  not_found
    │   │   ├── UnknownModel        404  unknown_model
    │   │   └── UnknownVisualContext 404 unknown_visual_context
    │   ├── MethodNotAllowed        405  method_not_allowed
    │   ├── RequestTimedOut         408  request_timeout
    │   ├── TooLarge                413  too_large
    │   │   └── HeadersTooLarge     431  headers_too_large
    │   ├── UnsupportedMediaType    415  unsupported_media_type
    │   └── RateLimited             429  rate_limited
    ├── Overloaded                  503  overloaded
    │   └── QueueFull               503  overloaded
    └── UpstreamError               502  upstream_error
        ├── UpstreamUnavailable     503  upstream_unavailable
        │   └── NotStarted          503  upstream_unavailable
        │       ├── UpstreamOverloaded 503 overloaded
        │       │   └── ApiOverloaded 503  overloaded
        │       └── ShuttingDown    503  upstream_unavailable
        └── DeadlineExceeded        504  deadline_exceeded

Messages name the field and the limit. They never carry an address, a traceback or the repr of an
object: they are shown to clients.
"""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

STARTED_HEADER = b"x-racro-begun"
# In every answer of a process that is ending, whatever its status.
ENDING_HEADER = b"x-racro-ending"
_CLOSE = (b"connection", b"close")


class RacroError(Exception):
    """An error with a place in the API: `status`, `code`, and `kind` (OpenAI calls it type)."""

    status: ClassVar[int] = 500
    kind: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal"
    retry_after_s: int | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    # Which of the images that were captioned together it is about, from 0 on.
    image_index: int | None = None

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def envelope(self) -> dict[str, Any]:
        """OpenAI's error object, the body of every error response."""
        return {
            "error": {
                "type": self.kind,
                "code": self.code,
                "message": self.message,
                "param": self.param,
            }
        }

    @classmethod
    def tree(cls) -> Iterator[type[Self]]:
        yield cls
        for child in cls.__subclasses__():
            yield from child.tree()


class RequestError(RacroError):
    """The client can mend it."""

    status = 400
    kind = "invalid_request_error"
    code = "invalid_request"


class InvalidRequest(RequestError):
    pass


class InvalidImage(InvalidRequest):
    code = "invalid_image"


class ContextLengthExceeded(InvalidRequest):
    code = "context_length_exceeded"


class DialectUnsupported(InvalidRequest):
    """The model that was asked for is served by other APIs only."""

    code = "dialect_unsupported"


class Unauthenticated(RequestError):
    status = 401
    kind = "authentication_error"
    code = "invalid_api_key"
    # Or Claude Code asks for minutes, and an SDK twice, with a key that stays wrong.
    headers = ((b"www-authenticate", b"Bearer"), (b"x-should-retry", b"false"))


class UrlForbidden(RequestError):
    status = 403
    code = "url_forbidden"


class NotFound(RequestError):
    status = 404
    code = "not_found"


class UnknownModel(NotFound):
    code = "unknown_model"


class UnknownVisualContext(NotFound):
    code = "unknown_visual_context"


class MethodNotAllowed(RequestError):
    status = 405
    code = "method_not_allowed"


class RequestTimedOut(RequestError):
    """The request itself came too slowly."""

    status = 408
    code = "request_timeout"
    headers = (_CLOSE,)


class TooLarge(RequestError):
    status = 413
    code = "too_large"
    # The rest of the body will not be read, so the connection cannot be used again.
    headers: Sequence[tuple[bytes, bytes]] = (_CLOSE,)


class HeadersTooLarge(TooLarge):
    """The request's line and headers are too large to be read at all."""

    status = 431
    code = "headers_too_large"


class UnsupportedMediaType(RequestError):
    status = 415
    code = "unsupported_media_type"


class RateLimited(RequestError):
    status = 429
    kind = "rate_limit_error"
    code = "rate_limited"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: int = 1,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message, param=param)
        self.retry_after_s = retry_after_s
        self.headers = headers


class Overloaded(RacroError):
    """The process has no room for it now; nothing was done, and another may be asked the same."""

    status = 503
    code = "overloaded"
    retry_after_s = 1
    # The body will not be read.
    headers: Sequence[tuple[bytes, bytes]] = (_CLOSE,)


class QueueFull(Overloaded):
    """Too many requests wait already. This one was read: its connection can be used on."""

    headers = ()


class UpstreamError(RacroError):
    """A captioner, reasoner or engine answered in a way that the client cannot mend."""

    status = 502
    code = "upstream_error"


class UpstreamUnavailable(UpstreamError):
    """It may have begun the work: asking another is asking twice."""

    status = 503
    code = "upstream_unavailable"
    retry_after_s = 2
    headers: Sequence[tuple[bytes, bytes]] = ((STARTED_HEADER, b"true"),)


class NotStarted(UpstreamUnavailable):
    """The peer has not started: another may be asked the same. A 503 without the header."""

    headers: Sequence[tuple[bytes, bytes]] = ()


class UpstreamOverloaded(NotStarted):
    """The peer has no room for it now."""

    code = "overloaded"
    retry_after_s = 1


class ApiOverloaded(UpstreamOverloaded):
    """The peer said so with Anthropic's status for it, 529, which clients of that API are told."""


class ShuttingDown(NotStarted):
    """The process that got this connection is ending; another may stand at its address."""

    headers = (_CLOSE,)


class DeadlineExceeded(UpstreamError):
    status = 504
    kind = "timeout_error"
    code = "deadline_exceeded"


# Of those that share a code, the one that promises least.
_BY_CODE = {
    error.code: error
    for error in RacroError.tree()
    if error is not RequestError and not issubclass(error, NotStarted)
}
_BY_STATUS = {
    401: Unauthenticated,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
    415: UnsupportedMediaType,
    429: RateLimited,
}


def error_from_status(status: int, message: str) -> RacroError:
    """The error a framework's bare HTTP status stands for."""
    fallback = InvalidRequest if 400 <= status < 500 else RacroError  # noqa: PLR2004
    return _BY_STATUS.get(status, fallback)(message)


def error_from_envelope(body: Any, *, status: int | None = None) -> RacroError | None:
    """Return the error that one of our own services reported; None where `body` is none.

    It is none either where it came with another status than that of its code: servers of others
    use some of the same codes. Without a `status` the code alone is believed.
    """
    match body:
        case (
            {"error": {"code": str(code), "message": str(message), **rest}}
            # Of an event of the responses API the fields stand in the event itself.
            | {"type": "error", "code": str(code), "message": str(message), **rest}
        ) if code in _BY_CODE:
            error = _BY_CODE[code]
            param = rest.get("param")
            if status in {None, error.status}:
                return error(message, param=param if isinstance(param, str) else None)
    return None

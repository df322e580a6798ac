"""The one seam to other services: an HTTP client whose failures are errors of our tree."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from math import ceil, inf
from types import TracebackType
from typing import Any, Literal, Protocol

import msgspec

from racro.contracts.errors import (
    ENDING_HEADER,
    STARTED_HEADER,
    NotStarted,
    UpstreamError,
    UpstreamUnavailable,
)
from racro.servekit.context import REQUEST_ID_HEADER, TIMEOUT_HEADER, request_id, time_left_s
from racro.servekit.dialling import Dialler, parse_origin
from racro.servekit.http1 import Http1Client
from racro.servekit.http_errors import Broken, HttpError, NoFirstByte, NotSent, NotTrusted
from racro.servekit.peer_timeout import peer_timeout
from racro.servekit.refusal import Refusal, is_small
from racro.servekit.responses import NotJson, encode
from racro.servekit.settings import UpstreamsSection
from racro.servekit.tracing import trace_headers

_PROBE_TIMEOUT_S = 2
# A kept connection that its peer had closed breaks within a round trip; one that breaks later had
# its request, and work on it may have begun.
_AT_ONCE_S = 0.1
_SUCCESSES = range(200, 300)
# Of a proxy whose server is away, or of a server that starts.
SAYS_NOBODY_IS_THERE = frozenset({502, 503, 504})
# Anthropic's, of a server that has too much to do: it has not begun.
OVERLOADED = 529
_NOT_STARTED = {NotStarted.status, OVERLOADED}
_STARTED = STARTED_HEADER.decode()
_ENDING = ENDING_HEADER.decode()
_PLAIN = "identity"


class Response(Protocol):
    """A response of any status. Its headers are by their names in lower case, joined by ", "."""

    status: int
    headers: dict[str, str]

    async def read(self) -> bytes:
        """Return the rest of the body."""

    async def readany(self) -> bytes:
        """Return all of the body that has come, at least a byte; b"" at its end."""

    async def pipe(self, sink: Callable[[bytes], bool]) -> bool:
        """Give the body to `sink` as it comes: True at its end, False once `sink` returned False.

        It may be called from the event loop's own reads, and must not block.
        """


class Answer(Response, Protocol):
    """A response, and the connection that it came over: `reused` if it had been kept."""

    reused: bool

    def close(self) -> None:
        """Keep the connection if the body's end has come, and else abort it."""


class Target(Protocol):
    """A server under a base URL."""

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        new_connection: bool = False,
    ) -> Answer:
        """Send a request once, and return its response, unread. Raises HttpError."""


class Client(AbstractAsyncContextManager["Client"], Protocol):
    """Connections to upstreams."""

    def target(
        self, base_url: str, headers: Mapping[str, str], address: str | None = None
    ) -> Target:
        """Return the server under a URL, asked with those headers in every request.

        Where the URL's name has several addresses, `address` is that of the one that is meant.
        """

    async def addresses(self, base_url: str) -> list[str]:
        """Return the addresses of the name in a URL: none where they do not tell servers apart.

        Raises OSError or UnicodeError where the name is not resolved.
        """


def open_client(settings: UpstreamsSection | None = None, *, reuse: bool = True) -> Client:
    """Return a client for upstreams, open in its block.

    It has no total timeout: `context.within` bounds a whole request. Without `reuse` each request
    has a connection of its own.
    """
    settings = settings or UpstreamsSection()
    proxy = None if settings.proxy is None else parse_origin(settings.proxy)
    if settings.client == "aiohttp":
        # For one release, and not loaded by those that do not ask for it.
        from racro.servekit.aiohttp_client import AiohttpClient  # noqa: PLC0415

        return AiohttpClient(
            connect_timeout_s=settings.connect_timeout_s,
            tls=settings.tls_context() if settings.sets_tls else None,
            proxy=proxy,
            keeps=reuse,
        )
    dialler = Dialler(
        connect_timeout_s=settings.connect_timeout_s,
        tls_timeout_s=settings.tls_timeout_s,
        tls=settings.tls_context,
        proxy=proxy,
    )
    return Http1Client(dialler, keeps=reuse, first_byte_timeout_s=settings.first_byte_timeout_s)


def is_safe_to_retry(response: Response) -> bool:
    """Whether the peer has not started, so that another may be asked the same."""
    return response.status in _NOT_STARTED and _STARTED not in response.headers


def is_ending(response: Response) -> bool:
    """Whether the process that answered is ending: further requests should go to another."""
    return _ENDING in response.headers


def broke_before_answer(error: UpstreamError) -> bool:
    """Whether a request's connection broke before a byte of an answer, and it was sent once.

    So it is where the peer's process is killed. The peer may have begun.
    """
    cause = error.__cause__
    return isinstance(cause, Broken) and cause.before_answer and not isinstance(cause, NoFirstByte)


def _may_be_ending(answer: Answer) -> bool:
    """Whether an answer came over a kept connection and may be of a process that is ending."""
    return (
        answer.reused
        and is_safe_to_retry(answer)
        and answer.headers.get("connection", "").lower() == "close"
        and is_small(answer.headers)
    )


def _is_no_success(status: int) -> bool:
    return status not in _SUCCESSES


class Upstream:
    """One HTTP peer. `name` is what clients see of it: addresses are never shown."""

    def __init__(
        self,
        client: Client,
        base_url: str,
        *,
        name: str,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        address: str | None = None,
    ) -> None:
        """`headers` go with every request; `address` is the server's where its name has several."""
        self.name = name
        every = {"content-type": "application/json", **(headers or {})}
        if api_key is not None:
            every["authorization"] = f"Bearer {api_key}"
        self._target = client.target(base_url, every, address)

    def request(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "_Request":
        """Give the response of any status in a block, its body unread; leaving early aborts it.

        Raises UpstreamUnavailable when the peer cannot be reached (NotStarted: nothing was sent) or
        breaks off, also while the body is read inside the block; UpstreamError where it compresses
        its answer.
        """
        return _Request(self.name, self._target, method, path, body, headers)

    async def get_text(self, path: str, *, within_s: float = _PROBE_TIMEOUT_S) -> str:
        """A small document, for probes: within two seconds, or as many as are given.

        Raises UpstreamUnavailable if there is none.
        """
        return (await self._get(path, within_s=within_s)).decode(errors="replace")

    async def get_json(self, path: str, *, within_s: float = _PROBE_TIMEOUT_S) -> Any:
        """A small JSON document, for probes: within two seconds, or as many as are given.

        Raises UpstreamUnavailable if there is none, UpstreamError if it is not JSON.
        """
        try:
            return msgspec.json.decode(await self._get(path, within_s=within_s))
        except NotJson as error:
            raise UpstreamError(
                f"the {self.name} answered with something else than JSON"
            ) from error

    async def reach(self, path: str) -> None:
        """Ask for a document that need not be there, for probes: within two seconds.

        Raises UpstreamUnavailable if there is no answer, or one that says that nobody is there.
        """
        await self._get(path, is_absent=SAYS_NOBODY_IS_THERE.__contains__)

    async def _get(
        self,
        path: str,
        *,
        is_absent: Callable[[int], bool] = _is_no_success,
        within_s: float = _PROBE_TIMEOUT_S,
    ) -> bytes:
        try:
            async with peer_timeout(within_s), self.request("GET", path) as response:
                if is_absent(response.status):
                    raise NotStarted(f"the {self.name} answered {response.status}")
                return await response.read()
        except TimeoutError as error:
            raise NotStarted(f"the {self.name} did not answer in time") from error

    def post(self, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> "_Request":
        """POST `body` (encoded as JSON unless it is bytes already)."""
        data = body if isinstance(body, bytes) else encode(body)
        return self.request("POST", path, body=data, headers=headers)


class _Request:
    """One request to an upstream, with its response in the block."""

    __slots__ = ("_answer", "_body", "_headers", "_method", "_name", "_path", "_target")

    def __init__(
        self,
        name: str,
        target: Target,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> None:
        self._name = name
        self._target = target
        self._method = method
        self._path = path
        self._body = body
        self._headers = {REQUEST_ID_HEADER: request_id.get(), **trace_headers()}
        if (left_s := time_left_s()) < inf:
            # Rounded up: the deadline that is nearer to the client names what set it.
            # Rounded first: a sum of floats may be above the limit by less than a clock can tell.
            self._headers[TIMEOUT_HEADER] = str(ceil(round(max(left_s, 0) * 1000, 3)))
        if headers:
            self._headers.update(headers)

    async def __aenter__(self) -> Response:
        try:
            self._answer = await self._ask()
        except NotTrusted as error:
            raise NotStarted(
                f"the {self._name} cannot be reached: its TLS certificate is not trusted"
            ) from error
        except NotSent as error:
            raise NotStarted(f"the {self._name} cannot be reached") from error
        except HttpError as error:
            raise UpstreamUnavailable(f"the {self._name} cannot be reached") from error
        if self._answer.headers.get("content-encoding", _PLAIN).lower() != _PLAIN:
            # Nothing is unpacked: a megabyte may be a gigabyte.
            self._answer.close()
            raise UpstreamError(f"the {self._name} compressed its answer, which nobody asked for")
        return self._answer

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._answer.close()
        if isinstance(error, HttpError):
            raise UpstreamUnavailable(f"the {self._name} broke off its answer") from error

    async def _ask(self) -> Answer:
        """Send the request, at most twice: see `_was_closed_before` and `_may_be_ending`."""
        send = partial(
            self._target.send, self._method, self._path, headers=self._headers, body=self._body
        )
        now = asyncio.get_running_loop().time
        began = now()
        try:
            answer = await send()
        except Broken as error:
            if not (_was_closed_before(error) and now() - began < _AT_ONCE_S):
                raise
        else:
            if not _may_be_ending(answer):
                return answer
            refusal = await _read(answer)
            # One that has no room has none over another connection either.
            if not refusal.is_of_ending_process:
                return refusal
            return await send(new_connection=True)
        try:
            return await send(new_connection=True)
        except NotSent as error:
            # The peer may have had the first one.
            raise Broken("the request was sent, and not again", before_answer=True) from error
        except Broken as error:
            raise Broken("the request was sent twice") from error


async def _read(answer: Answer) -> Refusal:
    """Read an answer's small body and give its connection back."""
    try:
        return Refusal(answer.status, answer.headers, await answer.read())
    finally:
        answer.close()


def _was_closed_before(error: Broken) -> bool:
    """Whether a kept connection broke as one does that was closed while it was idle.

    Most likely nobody began with the request. A new connection had its request, and work may have
    begun.
    """
    return error.reused and error.before_answer and not isinstance(error, NoFirstByte)

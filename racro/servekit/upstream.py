"""The one seam to other services: an HTTP client whose failures are errors of our tree."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import SimpleNamespace
from typing import Any, Literal

import aiohttp
import msgspec

from racro.contracts.errors import BEGUN_HEADER, NotStarted, UpstreamError, UpstreamUnavailable
from racro.servekit.context import REQUEST_ID_HEADER, request_id
from racro.servekit.responses import NotJson, encode
from racro.servekit.tracing import trace_headers

# Below the five seconds after which a uvicorn (vLLM's too) closes an idle connection: reusing one
# that is about to close fails a request for nothing.
_IDLE_CONNECTION_S = 4
_PROBE_TIMEOUT_S = 2
_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
# Compression would hold streams back, and nobody reads the others.
_NOT_SENT = ("accept-encoding", "accept", "user-agent")


def open_session(*, connect_timeout_s: float = 1, reuse: bool = True) -> aiohttp.ClientSession:
    """A session for upstreams. It has no total timeout: `context.within` bounds a whole request.

    Without `reuse` each request has a connection of its own.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            force_close=not reuse,
            keepalive_timeout=_IDLE_CONNECTION_S if reuse else None,
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s),
        trace_configs=[_tracing()],
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=2**18,
    )


class _Connection:
    """Of one request."""

    reused = False


def _tracing() -> aiohttp.TraceConfig:
    """How aiohttp tells which connection a request went over."""

    async def reuse(_: object, context: SimpleNamespace, __: object) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx.reused = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(reuse)
    return tracing


def is_safe_to_retry(response: aiohttp.ClientResponse) -> bool:
    """Whether the peer has not started, so that another may be asked the same."""
    return response.status == NotStarted.status and BEGUN_HEADER.decode() not in response.headers


def _is_ending(response: aiohttp.ClientResponse) -> bool:
    return is_safe_to_retry(response) and response.headers.get("connection") == "close"


class Upstream:
    """One HTTP peer. `name` is what clients see of it: addresses are never shown."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        *,
        name: str,
        api_key: str | None = None,
    ) -> None:
        self.name = name
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = {"content-type": "application/json"}
        if api_key is not None:
            self._headers["authorization"] = f"Bearer {api_key}"

    @asynccontextmanager
    async def request(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response of any status, its body unread; leaving the block early aborts it.

        Raises UpstreamUnavailable when the peer cannot be reached (NotStarted: nothing was sent) or
        breaks off, also while the body is read inside the block.
        """
        all_headers = {
            **self._headers,
            REQUEST_ID_HEADER: request_id.get(),
            **trace_headers(),
            **(headers or {}),
        }
        try:
            response = await self._ask(method, path, body, all_headers)
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamUnavailable(f"the {self.name} cannot be reached") from error
        try:
            yield response
        except aiohttp.ClientError as error:
            raise UpstreamUnavailable(f"the {self.name} broke off its answer") from error
        finally:
            # Without effect where the body was read to its end: the connection is then in the pool.
            response.close()

    async def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        # A kept connection may have been closed while it was idle, or lead to a process that is
        # ending: nobody began with the request then, and it is sent again, at last on a new one.
        while True:
            connection = _Connection()
            try:
                response = await self._dial(method, path, body, headers, connection)
            except aiohttp.ClientConnectorCertificateError as error:
                raise NotStarted(
                    f"the {self.name} cannot be reached: its TLS certificate is not trusted"
                ) from error
            except _NOT_CONNECTED as error:
                raise NotStarted(f"the {self.name} cannot be reached") from error
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # A new connection had its request, and work may have begun.
                if not connection.reused:
                    raise
            else:
                if not (connection.reused and _is_ending(response)):
                    return response
                response.close()

    async def _dial(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        connection: _Connection,
    ) -> aiohttp.ClientResponse:
        """Send one request, over a second connection where the first was not made in time.

        TCP repeats a packet that was lost only after a second, which is all the time there is, and
        an event loop that was late finds a connection and its timeout at once. Nothing was sent
        over a connection that was not made.
        """

        def send() -> Awaitable[aiohttp.ClientResponse]:
            return self._session.request(
                method,
                self._base_url + path,
                data=body,
                headers=headers,
                skip_auto_headers=_NOT_SENT,
                allow_redirects=False,
                trace_request_ctx=connection,
            )

        with contextlib.suppress(aiohttp.ConnectionTimeoutError):
            return await send()
        return await send()

    async def get_text(self, path: str) -> str:
        """A small document, for probes: within two seconds.

        Raises UpstreamUnavailable if there is none.
        """
        return (await self._get(path)).decode(errors="replace")

    async def get_json(self, path: str) -> Any:
        """A small JSON document, for probes: within two seconds.

        Raises UpstreamUnavailable if there is none, UpstreamError if it is not JSON.
        """
        try:
            return msgspec.json.decode(await self._get(path))
        except NotJson as error:
            raise UpstreamError(
                f"the {self.name} answered with something else than JSON"
            ) from error

    async def _get(self, path: str) -> bytes:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S), self.request("GET", path) as response:
                if response.status != 200:  # noqa: PLR2004
                    raise NotStarted(f"the {self.name} answered {response.status}")
                return await response.read()
        except TimeoutError as error:
            raise NotStarted(f"the {self.name} did not answer in time") from error

    def post(
        self, path: str, body: Any, *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """POST `body` (encoded as JSON unless it is bytes already)."""
        data = body if isinstance(body, bytes) else encode(body)
        return self.request("POST", path, body=data, headers=headers)

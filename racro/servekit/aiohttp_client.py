"""Asks upstreams over aiohttp, as before `http1`: for one release, by a setting."""

import ssl
from collections.abc import Callable, Mapping
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp

from racro.servekit.dialling import Origin
from racro.servekit.http1 import MAX_BODY_BYTES
from racro.servekit.http_errors import Broken, HttpError, Malformed, NotSent, NotTrusted

_IDLE_CONNECTION_S = 4
_READ_BUFFER_BYTES = 2**18
_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_HUNG_UP = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
# Compression would hold streams back, and nobody reads the others.
_SKIPPED = ("accept-encoding", "accept", "user-agent")


class AiohttpResponse:
    """A response of aiohttp whose failures are HttpErrors."""

    def __init__(self, response: aiohttp.ClientResponse, *, reused: bool) -> None:
        self.status = response.status
        self.reused = reused
        self.headers = {
            name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers
        }
        self._response = response

    async def read(self) -> bytes:
        """Return the rest of the body. Raises Broken, Malformed where that is over the limit."""
        pieces, size = [], 0
        while piece := await self.readany():
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise Malformed(f"a body over {MAX_BODY_BYTES} bytes")
        return b"".join(pieces)

    async def readany(self) -> bytes:
        """Return what has come of the body, b"" at its end. Raises Broken."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise Broken(repr(error)) from error

    async def pipe(self, sink: Callable[[bytes], bool]) -> bool:
        """Give the body to `sink` as it comes: True at its end, False once `sink` returned False.

        Raises Broken.
        """
        while data := await self.readany():
            if not sink(data):
                return False
        return True

    def close(self) -> None:
        """Abort the response; without effect where its body was read to the end."""
        self._response.close()


class _Trace:
    """Notes that a request goes over a kept connection."""

    reused = False


def _tracing() -> aiohttp.TraceConfig:
    async def reuse(_: object, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.reused = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(reuse)
    return tracing


class AiohttpTarget:
    """A server under a base URL, with headers that every request to it has."""

    def __init__(self, client: "AiohttpClient", base_url: str, headers: Mapping[str, str]) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers)

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        new_connection: bool = False,
    ) -> AiohttpResponse:
        """Send a request and return its response, its body unread. Raises HttpError."""
        trace = _Trace()
        url, all_headers = self._base_url + path, {**self._headers, **headers}
        try:
            try:
                response = await self._client.ask(
                    method, url, all_headers, body, trace, new_connection=new_connection
                )
            except aiohttp.ConnectionTimeoutError:
                # A lost packet takes TCP all the time there is: see `dialling`.
                response = await self._client.ask(
                    method, url, all_headers, body, trace, new_connection=new_connection
                )
        except (aiohttp.ClientError, OSError) as error:
            raise _http_error(error, reused=trace.reused) from error
        return AiohttpResponse(response, reused=trace.reused)


def _http_error(error: Exception, *, reused: bool) -> HttpError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return NotTrusted("its TLS certificate is not trusted")
    if isinstance(error, _NOT_CONNECTED):
        return NotSent(repr(error))
    return Broken(repr(error), before_answer=isinstance(error, _HUNG_UP), reused=reused)


class AiohttpClient:
    """Two sessions of aiohttp: one keeps connections, the other makes one for each request."""

    def __init__(
        self,
        *,
        connect_timeout_s: float,
        tls: ssl.SSLContext | None,
        proxy: Origin | None,
        keeps: bool = True,
    ) -> None:
        self._proxy = None if proxy is None else f"http://{proxy.with_port}"
        self._single = _session(connect_timeout_s, tls, keeps=False)
        self._keeping = _session(connect_timeout_s, tls, keeps=True) if keeps else self._single

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._single.close()
        await self._keeping.close()

    def target(
        self,
        base_url: str,
        headers: Mapping[str, str],
        address: str | None = None,  # noqa: ARG002 - it tells none
    ) -> AiohttpTarget:
        """Return the server under a URL, asked with those headers in every request."""
        return AiohttpTarget(self, base_url, headers)

    async def addresses(self, base_url: str) -> list[str]:  # noqa: ARG002 - as of any URL
        """Return nothing: this client tells the servers of a name not apart."""
        return []

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        trace: _Trace,
        *,
        new_connection: bool,
    ) -> aiohttp.ClientResponse:
        """Send one request. Raises aiohttp's errors."""
        session = self._single if new_connection else self._keeping
        return await session.request(
            method,
            url,
            data=body,
            headers=headers,
            skip_auto_headers=_SKIPPED,
            allow_redirects=False,
            proxy=self._proxy,
            trace_request_ctx=trace,
        )


def _session(
    connect_timeout_s: float, tls: ssl.SSLContext | None, *, keeps: bool
) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            force_close=not keeps,
            keepalive_timeout=_IDLE_CONNECTION_S if keeps else None,
            ssl=True if tls is None else tls,
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s),
        trace_configs=[_tracing()],
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=_READ_BUFFER_BYTES,
        # A compressed answer is refused, and must not be unpacked before.
        auto_decompress=False,
    )

"""HTTP requests to servers of strangers, bounded in time and size, whose failures are in words.

They go out as the services' own do: by no proxy, with the certificates that OpenSSL trusts.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar, NamedTuple, Self

import httpx2

from racro.contracts.client import (
    ClientError,
    authorization,
    causes,
    connection_problem,
    no_answer,
    reason_and_code,
)

# Listings of clouds with thousands of models have some MiB.
_MOST_BYTES = 16 * 2**20
_SHOWN_CHARACTERS = 300
_REDIRECTS = range(300, 400)
_KEY_REFUSED = {401, 403}
NOT_SERVED = {404, 405, 501}


class Problem(Exception):
    """What is wrong with a server, and what to do about it.

    `nearness`: how far a request came. Of several attempts the nearest one tells the most.
    """

    nearness: ClassVar[int]

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}; {self.advice}" if self.advice else self.message


class NotReached(Problem):
    """There was no connection, or no HTTP answer in time."""

    nearness = 0


class NotServed(Problem):
    """The server has nothing under that path."""

    nearness = 1


class WrongAnswer(Problem):
    """The server answered with something that does not help."""

    nearness = 2


class NotTrusted(Problem):
    """The certificate of the server is not trusted."""

    nearness = 3


class KeyRefused(Problem):
    """The server refused the API key, or wants one."""

    nearness = 4


class Answer(NamedTuple):
    """The complete answer to a request."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The JSON of a success. Raises Problem."""
        self.check_status()
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            kind = "a web page" if self.media_type == "text/html" else "something else than JSON"
            raise WrongAnswer(
                f"{self.url} answers with {kind}", "name the URL of an API, with its port and path"
            ) from error

    def check_status(self) -> None:
        """Raise Problem unless the status is that of a success."""
        if self.status in _KEY_REFUSED:
            raise KeyRefused(f"{self.url} refuses the API key or the lack of one: {self.status}")
        if self.status in NOT_SERVED:
            raise NotServed(f"{self.url} is not served: status {self.status}{self._reason()}")
        if self.status in _REDIRECTS:
            target = shown(self.headers.get("location", "nowhere"))
            raise WrongAnswer(f"{self.url} redirects to {target}", "name the URL that it leads to")
        if self.status >= 400:  # noqa: PLR2004
            raise WrongAnswer(f"{self.url} answers with status {self.status}{self._reason()}")

    def _reason(self) -> str:
        if self.url.startswith("http://") and b"HTTPS" in self.body:
            return ": is it https:// instead of http://?"
        reason, code = reason_and_code(self.status, self.body)
        return "" if reason == code else f": {shown(reason)}"


class Probe:
    """Sends requests, each with `timeout_s` for everything unless it is given its own time."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            timeout=None,
            trust_env=False,
            verify=ssl.create_default_context(),
            headers={"accept-encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get_json(self, url: str, key: str | None = None, address: str | None = None) -> Any:
        """The JSON that is there. Raises Problem."""
        return (await self.request("GET", url, key=key, address=address)).json()

    async def request(self, method: str, url: str, **options: Any) -> Answer:
        """The answer of whatever status; `options` as of `open`. Raises Problem."""
        async with self.open(method, url, **options) as response:
            return await _complete(url, response)

    @asynccontextmanager
    async def events(
        self, url: str, **options: Any
    ) -> AsyncIterator[AsyncIterator[httpx2.ServerSentEvent]]:
        """The events that answer a POST; `options` as of `open`. Raises Problem."""
        async with self.open("POST", url, **options) as response:
            kind = response.headers.get("content-type", "").partition(";")[0]
            if not response.is_success:
                (await _complete(url, response)).check_status()
            if kind != "text/event-stream":
                raise WrongAnswer(
                    f"{url} answers with {shown(kind) or 'nothing'}, not with a stream"
                )
            yield aiter(httpx2.EventSource(response))

    @asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        *,
        key: str | None = None,
        body: Any = None,
        timeout_s: float | None = None,
        address: str | None = None,
    ) -> AsyncIterator[httpx2.Response]:
        """A response whose body is read in the block; `body` is sent as JSON. Raises Problem.

        Where the URL's name has several addresses, `address` is that of the server that is meant.
        """
        time_s = timeout_s or self.timeout_s
        began = False
        try:
            async with (
                asyncio.timeout(time_s),
                self._stream(method, url, body, _headers(key), address) as response,
            ):
                began = True
                yield response
        except TimeoutError as error:
            raise NotReached(f"{url} gave no complete answer within {time_s:g} s") from error
        except httpx2.InvalidURL as error:
            raise NotReached(f"{url} is no URL: {error}") from error
        except httpx2.RequestError as error:
            if began:
                raise WrongAnswer(f"{url} broke off its answer") from error
            raise _not_reached(url, error) from error

    def _stream(
        self, method: str, url: str, body: Any, headers: dict[str, str], address: str | None
    ) -> AbstractAsyncContextManager[httpx2.Response]:
        if address is None:
            return self._client.stream(method, url, json=body, headers=headers)
        named = httpx2.URL(url)
        return self._client.stream(
            method,
            named.copy_with(host=address),
            json=body,
            headers={**headers, "host": named.netloc.decode()},
            extensions={"sni_hostname": named.host},
        )


async def _complete(url: str, response: httpx2.Response) -> Answer:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MOST_BYTES:
            raise WrongAnswer(f"{url} answers with more than {_MOST_BYTES // 2**20} MiB")
    return Answer(url, response.status_code, response.headers, bytes(body))


def _headers(key: str | None) -> dict[str, str]:
    try:
        return authorization(key)
    except ClientError as error:
        raise KeyRefused("the API key is no printable ASCII and cannot be sent") from error


def _not_reached(url: str, error: httpx2.RequestError) -> Problem:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
        return NotTrusted(str(connection_problem(url, error)))
    if isinstance(error, httpx2.ConnectError):
        reason = connection_problem(url, error)
        return NotReached(reason or f"nothing listens at {url}", "" if reason else "is it running?")
    return NotReached(no_answer(url, error))


def shown(text: object) -> str:
    """The beginning of what a stranger sent, in one line."""
    line = " ".join(str(text)[: 2 * _SHOWN_CHARACTERS].split())
    return line[:_SHOWN_CHARACTERS] + "…" * (len(line) > _SHOWN_CHARACTERS)

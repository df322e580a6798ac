"""Fetching images by URL, without opening a way into private networks.

Parse once, resolve, check every address, connect to a checked address, and again for each
redirect. Whatever spelling a URL uses for an address, the check sees the address that is dialled:
names and numbers alike pass through the connector's resolver and its socket factory.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from gateway.images.addresses import AddressPolicy, CheckedResolver, ForbiddenAddress
from gateway.images.content_encoding import (
    DecompressedTooLargeError,
    DecompressionError,
    content_codings,
    unpack,
)
from gateway.images.text_repair import unquoted
from gateway.settings import FetchSection
from racro.contracts.errors import (
    DeadlineExceeded,
    InvalidImage,
    RacroError,
    TooLarge,
    UrlForbidden,
)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_CONTENT = frozenset({204, 205})
# PDFs, too, and from hosts that name no type, anything: the bytes tell what it is.
_ACCEPT = "image/*,application/pdf;q=0.9,*/*;q=0.8"
_LONGEST_URL = 2**16
# Of the answer's first line, and of each header; cookies and policies may be long.
_LONGEST_HEADER = 2**16
_MOST_HEADERS = 128
_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_ALLOWED = "%/?:@!$&'()*+,;=[]"
_SURROGATE = re.compile("[\udc80-\udcff]")
_FORBIDDEN = (
    "the URL leads to an address that is not public; the gateway's settings fetch.allow_networks "
    "and fetch.allow_private say which of those may be fetched from"
)


class Fetcher:
    """Downloads images. Raises UrlForbidden, InvalidImage, TooLarge or DeadlineExceeded."""

    def __init__(self, settings: FetchSection, *, max_bytes: int) -> None:
        self._settings = settings
        self._max_bytes = max_bytes
        self._policy = AddressPolicy(settings)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=CheckedResolver(self._policy),
                socket_factory=self._checked_socket,
                # An address is checked when it is dialled: no connection outlives its request.
                force_close=True,
                use_dns_cache=False,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "user-agent": "racro-gateway",
                "accept": _ACCEPT,
                # A compressed image gains nothing.
                "accept-encoding": "identity",
            },
            # Some hosts compress all the same: it is unpacked within bounds.
            auto_decompress=False,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            max_headers=_MOST_HEADERS,
        )

    async def close(self) -> None:
        await self._session.close()

    async def fetch(self, url: str, *, param: str) -> bytes:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._follow(url, param=param)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the image was not fetched within fetch.timeout_s = {self._settings.timeout_s:g}",
                param=param,
            ) from error
        except ForbiddenAddress as error:
            raise UrlForbidden(_FORBIDDEN, param=param) from error
        except aiohttp.InvalidURL as error:
            # aiohttp refuses numeric hosts such as 127.1 or 2130706433 before they are resolved.
            raise UrlForbidden("the URL's host is not in canonical form", param=param) from error
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            raise InvalidImage(_failure(error), param=param) from error

    async def _follow(self, text: str, *, param: str) -> bytes:
        if len(text) > _LONGEST_URL:
            raise InvalidImage(f"the URL is longer than {_LONGEST_URL} characters", param=param)
        url = _parse(unquoted(text), param=param)
        for _ in range(self._settings.max_redirects + 1):
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await self._read(response, param=param)
                location = response.headers.get("location", "")
            url = _parse(location, param=param, base=url)
        raise InvalidImage(
            f"more redirects than fetch.max_redirects = {self._settings.max_redirects}", param=param
        )

    async def _read(self, response: aiohttp.ClientResponse, *, param: str) -> bytes:
        self._check_status(response.status, param=param)
        try:
            compressed = content_codings(response.headers.getall("content-encoding", ()))
            data = await self._download(response, param=param)
            if not compressed:
                return data
            work = partial(unpack, data, compressed, max_bytes=self._max_bytes)
            return await asyncio.to_thread(work)
        except DecompressionError as error:
            raise InvalidImage(
                f"the image's URL answered with bytes {error}", param=param
            ) from error
        except DecompressedTooLargeError as error:
            raise self._too_large(param) from error

    def _check_status(self, status: int, *, param: str) -> None:
        if status in _NO_CONTENT:
            raise InvalidImage(
                f"the image's URL answered with status {status}: there is nothing", param=param
            )
        if not 200 <= status < 300:  # noqa: PLR2004
            raise InvalidImage(f"the image's URL answered with status {status}", param=param)

    async def _download(self, response: aiohttp.ClientResponse, *, param: str) -> bytes:
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large(param)
        data = bytearray()
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > self._max_bytes:
                raise self._too_large(param)
        return bytes(data)

    def _too_large(self, param: str) -> RacroError:
        return TooLarge(
            f"the image behind the URL is over max_image_bytes = {self._max_bytes}", param=param
        )

    def _checked_socket(self, address: Sequence[Any]) -> socket.socket:
        """Check the address that the connector is about to dial, and create its socket."""
        family, kind, protocol, _, sockaddr = address
        self._policy.check(sockaddr[0])
        return socket.socket(family=family, type=kind, proto=protocol)


def _parse(text: str, *, param: str, base: URL | None = None) -> URL:
    """Parse a URL, once: the connector is given this object, not the text.

    What people type is encoded as browsers do it, spaces and characters outside ASCII. All else is
    asked for as it was written, as the host may have signed it.
    """
    text = text.strip(" \t\r\n")
    if "\\" in text or any(ord(character) < ord(" ") for character in text):
        # Parsers disagree about these, and disagreement is how filters are passed.
        raise UrlForbidden("the URL has a backslash or a control character", param=param)
    try:
        url = _resolve(_SURROGATE.sub(_percent_encoded, text).replace(" ", "%20"), base)
        host = url.raw_host
    except ValueError as error:
        raise InvalidImage("the URL cannot be parsed", param=param) from error
    if url.scheme not in {"http", "https"} or not host:
        raise UrlForbidden("only http and https URLs with a host are fetched", param=param)
    if "%" in host:
        raise UrlForbidden("the URL's host has a space or an escape", param=param)
    if url.user is not None or url.password is not None:
        raise UrlForbidden("a URL with credentials is not fetched", param=param)
    return url


def _resolve(text: str, base: URL | None) -> URL:
    """Return a URL with its host in canonical form, and path and query as they were written.

    Raises ValueError.
    """
    url, written = URL(text), URL(text, encoded=True)
    resource = URL.build(
        path=_quoted(written.raw_path), query_string=_quoted(written.raw_query_string), encoded=True
    )
    if base is not None and not url.raw_authority and url.scheme in {"", base.scheme}:
        return base.join(resource)
    return (url if base is None else base.join(url)).join(resource)


def _quoted(part: str) -> str:
    """Return a path or a query with nothing but what RFC 3986 allows, and brackets."""
    return quote(_NO_ESCAPE.sub("%25", part), safe=_ALLOWED)


def _percent_encoded(byte: re.Match[str]) -> str:
    """Return the escape of a byte of a header that is not UTF-8."""
    return f"%{ord(byte[0]) & 0xFF:02X}"


def _failure(error: Exception) -> str:
    """Return why there was no answer, without the addresses that the error names."""
    if isinstance(error, aiohttp.ClientResponseError):
        reason: str | None = _no_http(error.message)
    else:
        reason = next((words for kind, words in _FAILURES if isinstance(error, kind)), None)
    return "the image cannot be fetched from its URL" + (f": {reason}" if reason else "")


def _no_http(message: str) -> str:
    """Return what is wrong with an answer, by what aiohttp says of it."""
    if message.startswith(("Got more than", "Too many headers")):
        return (
            f"its host's answer has a header of more than {_LONGEST_HEADER} bytes, or more than "
            f"{_MOST_HEADERS} headers"
        )
    return "its host's answer is no HTTP, or goes on behind its content-length"


_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "its host's name is not found"),
    (aiohttp.ClientConnectorCertificateError, "its host's certificate is not trusted"),
    (aiohttp.ClientSSLError, "its host speaks no TLS that is known"),
    (ssl.SSLError, "its host speaks no TLS that is known"),
    (aiohttp.ClientConnectorError, "its host cannot be connected to"),
    (aiohttp.ClientPayloadError, "its host broke off the answer"),
    (aiohttp.ServerDisconnectedError, "its host broke off the answer"),
)

"""What a client of a gateway needs: its URL, an API key, and errors that say what to do.

It knows no HTTP library: errors are told by what the operating system and TLS said, answers by
their status, headers and body.
"""

import json
import math
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

DEFAULT_URL = "http://127.0.0.1:8000"
# The environment variable that holds a client's own API key.
KEY_VARIABLE = "RACRO_KEY"
# What a gateway's /openapi.json calls itself.
GATEWAY_TITLE = "RACRO gateway"

_LONGEST_MESSAGE = 2000
# Longer than any date, and than any number of seconds that is waited for.
_LONGEST_RETRY_AFTER = 64
_LONGEST_WAIT_S = 3600
_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?")
_ADVICE = {
    "invalid_api_key": f"pass --key or set {KEY_VARIABLE}",
    "unknown_model": "`racro models` shows them",
}


class ClientError(Exception):
    """The gateway cannot be asked, or did not answer; the message is for the user."""


def gateway_url(text: str) -> str:
    """The URL that paths such as /v1/solve are appended to.

    It may be given without a scheme (http is assumed), with a trailing slash, and with /v1.
    Raises ClientError.
    """
    try:
        parts = split_url(text)
    except ValueError as error:
        reason = f"no gateway's URL, {error}; one is {DEFAULT_URL}"
        raise ClientError(f"--gateway {text}: {reason}") from error
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def split_url(text: str) -> SplitResult:
    """The parts of a base URL; http is assumed where it has no scheme.

    Raises ValueError, with the reason as the end of a sentence, for what cannot be one.
    """
    address = text.strip()
    if "://" not in address:
        address = f"http://{address}"
    parts = urlsplit(address)
    _ = parts.port
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"it begins with {parts.scheme}://, not with http:// or https://")
    if not parts.hostname or any(character.isspace() for character in address):
        raise ValueError("it names no host")
    if parts.query or parts.fragment:
        raise ValueError("it has a query or a fragment")
    return parts


def is_loopback(url: str) -> bool:
    """Whether the URL is of this machine, which no proxy can reach for us."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def authorization(key: str | None) -> dict[str, str]:
    """The headers that carry the key. Raises ClientError for one that no header can carry."""
    if key is None:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise ClientError(f"the API key of --key or {KEY_VARIABLE} is no printable ASCII")
    return {"authorization": f"Bearer {key}"}


def no_connection(url: str, error: BaseException) -> str:
    """Why there is no connection to the gateway at `url`."""
    reason = connection_problem(url, error)
    return reason or f"no gateway answers at {url}; `racro up` starts one"


def connection_problem(url: str, error: BaseException) -> str | None:
    """Why there is no connection to `url`, by what stands behind the HTTP library's error.

    None where nothing listens there, or nothing else is known.
    """
    host = urlsplit(url).hostname
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            return f"the host {host} of {url} cannot be resolved: is it spelt right?"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {url} is not trusted ({cause.verify_message}); "
                "the variable SSL_CERT_FILE names a file with those to trust"
            )
        if isinstance(cause, ssl.SSLError):
            return f"no TLS is spoken at {url}: is it http:// instead of https://?"
        if isinstance(cause, TimeoutError):
            return f"no connection to {url} within the time: is it the right address?"
    return None


def no_answer(url: str, error: BaseException) -> str:
    """Why what is connected to at `url` gave no HTTP answer."""
    hint = ", or is it https:// instead of http://" if url.startswith("http://") else ""
    return (
        f"what listens at {url} gave no HTTP answer ({type(error).__name__}): "
        f"is it another program's port{hint}?"
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, groups taken apart."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            for member in cause.exceptions:
                yield from causes(member)
        cause = cause.__cause__ or cause.__context__


def refusal(url: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> str:
    """What an answer that is no success says, and what to do about it."""
    error = _error_object(body)
    if error is None:
        answered = f"{url} answered {path} with status {status}{_redirect(headers)}"
        return "; ".join([f"{answered}: not a RACRO gateway?", *_wait(headers)])
    return "; ".join([message_of(error), *_advice(error), *_wait(headers)])


def _redirect(headers: Mapping[str, str]) -> str:
    return f", a redirect to {headers['location']}" if "location" in headers else ""


def message_of(error: Any) -> str:
    """The message and the code of an error object."""
    fields = error if isinstance(error, dict) else {"message": error}
    message = str(fields.get("message") or "no reason was given")[:_LONGEST_MESSAGE]
    return f"{message} ({fields['code']})" if fields.get("code") else message


def reason_and_code(status: int, body: bytes) -> tuple[str, str]:
    """What an answer that is no success says, without advice, and its error's code."""
    error = _error_object(body) or {}
    code = str(error.get("code") or f"status {status}")
    return (message_of(error) if error else code), code


def _error_object(body: bytes) -> dict[str, Any] | None:
    try:
        error = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return error if isinstance(error, dict) else None


def _advice(error: dict[str, Any]) -> Iterator[str]:
    if advice := _ADVICE.get(str(error.get("code"))):
        yield advice


def _wait(headers: Mapping[str, str]) -> Iterator[str]:
    if (wait_s := retry_after_s(headers)) is not None:
        yield f"try again in {wait_s} s"


def retry_after_s(headers: Mapping[str, str]) -> int | None:
    """Return the seconds to wait by the header Retry-After, which has them or a date.

    Fractions, which some servers write, are rounded up. It is at most 3,600, and None where the
    header is missing or makes no sense.
    """
    value = headers.get("retry-after", "")[:_LONGEST_RETRY_AFTER]
    if _SECONDS.fullmatch(value):
        return min(math.ceil(float(value)), _LONGEST_WAIT_S)
    try:
        left = parsedate_to_datetime(value) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        # The offset of a date may be any number.
        return None
    return min(max(0, math.ceil(left.total_seconds())), _LONGEST_WAIT_S)


def another_service(url: str, description: Any) -> str | None:
    """That `url` is not a gateway's, if its /openapi.json says what it is; else None."""
    try:
        title = str(description["info"]["title"])
    except (LookupError, TypeError):
        return None
    if title == GATEWAY_TITLE:
        return None
    return (
        f"{url} is not a gateway: it calls itself {title[:80]!r}; "
        f"`racro up` prints the gateway's URL, {DEFAULT_URL} if nothing else was said"
    )

"""Small ASGI responders for the hot routes, and the error responses of every route."""

import codecs
import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from racro.contracts.errors import RacroError, error_from_status
from racro.servekit import service_metrics
from racro.servekit.context import request_id
from racro.servekit.error_forms import OPENAI, ErrorForm, error_form_of
from racro.servekit.tasks import off_loop_if_large

Headers = Iterable[tuple[bytes, bytes]]

_log = logging.getLogger(__name__)

BYTE_ORDER_MARK = codecs.BOM_UTF8
_NO_CONTENT = 204
_PIECE_BYTES = 2**20
JSON = (b"content-type", b"application/json")
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")


async def read_body(receive: Receive) -> bytes:
    """Return the whole request body, without the byte order mark that may stand before JSON.

    `Exchange.receive` bounds its size.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if not message.get("more_body", False):
            break
    if len(chunks) == 1:
        return chunks[0].removeprefix(BYTE_ORDER_MARK)
    # The join of a large one leaves the interpreter's lock to others.
    body = await off_loop_if_large(size, partial(b"".join, chunks))
    return body.removeprefix(BYTE_ORDER_MARK)


async def send_response(
    send: Send, body: bytes, *, status: int = 200, headers: Headers = (JSON,)
) -> None:
    headers = list(headers)
    if status != _NO_CONTENT:  # which may not have a length
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    start = 0
    while len(body) - start > _PIECE_BYTES:
        piece = body[start : start + _PIECE_BYTES]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        start += _PIECE_BYTES
    await send({"type": "http.response.body", "body": body[start:]})


# What decoding bytes as JSON may raise: they are no JSON, no UTF-8, or nested to break the parser.
NotJson = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def check_utf8(text: bytes) -> None:
    """Raise UnicodeDecodeError where a text is no UTF-8."""
    if len(text) <= _PIECE_BYTES:
        text.decode()
        return
    # A piece at a time: between them other threads run, and no copy of the whole is made.
    decoder, pieces = codecs.getincrementaldecoder("utf-8")(), memoryview(text)
    for start in range(0, len(text), _PIECE_BYTES):
        decoder.decode(pieces[start : start + _PIECE_BYTES])
    decoder.decode(b"", final=True)


def encode(value: Any) -> bytes:
    return msgspec.json.encode(value)


def report(error: RacroError) -> None:
    """Count an error that a client is shown, and log it if it is not the client's own."""
    service_metrics.ERRORS.labels(error.code).inc()
    if error.status >= 500:  # noqa: PLR2004
        # One line: an upstream that is away would otherwise log a traceback a request.
        _log.warning("%s: %s", error.code, error.message, extra={"cause": repr(error.__cause__)})


def error_response(error: RacroError, form: ErrorForm = OPENAI) -> Response:
    report(error)
    headers = {name.decode(): value.decode() for name, value in error.headers}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    return Response(
        encode(form.envelope(error, request_id.get())),
        status_code=form.status(error),
        headers=headers,
        media_type="application/json",
    )


async def on_racro_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RacroError):
        raise error
    return error_response(error, error_form_of(request.scope))


async def on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    meant = error_from_status(error.status_code, error.detail)
    response = error_response(meant, error_form_of(request.scope))
    response.headers.update(error.headers or {})
    return response


async def on_unexpected_error(request: Request, _: Exception) -> Response:
    """Answers a bug. Starlette raises it again after this, and `GuardedApp` logs it."""
    return unexpected_error(request.scope)


def unexpected_error(scope: Scope) -> Response:
    error = RacroError("internal error; the log has it under this request's id")
    return error_response(error, error_form_of(scope))

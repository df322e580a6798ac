"""A solve over HTTP, as its events come."""

import base64
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2


class SolveError(Exception):
    """The gateway refused or failed; the message is its own."""


def image_argument(text: str) -> str:
    """What `/v1/solve` takes for an argument of the command line: a URL, or a file's data URL."""
    if text.startswith(("http://", "https://", "data:")):
        return text
    path = Path(text)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SolveError(f"{text}: {error.strerror}") from error
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def solve_events(
    gateway: str, request: dict[str, Any], key: str | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, data) of each event of a streamed solve; the last one is `done`. Raises SolveError."""
    url = f"{gateway.rstrip('/')}/v1/solve"
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    body = {**request, "stream": True}
    try:
        with httpx2.stream("POST", url, json=body, headers=headers, timeout=None) as response:
            if not response.is_success:
                response.read()
                raise SolveError(_message(response))
            for event in httpx2.EventSource(response):
                data: Any = event.json()
                if event.event == "error":
                    raise SolveError(data["error"]["message"])
                yield event.event, data
    except httpx2.ConnectError as error:
        raise SolveError(f"no gateway answers at {gateway}; `racro up` starts one") from error
    except httpx2.TransportError as error:
        raise SolveError(f"the gateway broke off its answer ({type(error).__name__})") from error


def _message(response: httpx2.Response) -> str:
    try:
        error = response.json()["error"]
    except (ValueError, LookupError, TypeError):
        return f"{response.url} answered with status {response.status_code}: not a RACRO gateway?"
    return f"{error['message']} ({error['code']})"

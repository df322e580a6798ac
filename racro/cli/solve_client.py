"""A gateway over HTTP: a solve as its events come, and what models there are."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from racro.contracts import client

# The gateway breaks its silence every few seconds, and ends a request after its own deadline.
_TIMEOUT = httpx2.Timeout(180, connect=10)
# A gateway takes 20 MiB unless it is set otherwise; what is larger by far is no image.
_MOST_IMAGE_BYTES = 256 * 2**20
_SOLVE, _MODELS, _DESCRIPTION = "/v1/solve", "/v1/models", "/openapi.json"
_EVENTS = {
    "visual_context.delta",
    "visual_context.done",
    "reasoning.delta",
    "answer.delta",
    "done",
    "error",
}
# What another service, or none of ours, says to a request for what only a gateway has.
_NOT_SERVED = {404, 405}


class SolveError(Exception):
    """The gateway cannot be asked, refused or failed; the message is for the user."""


def is_url(text: str) -> bool:
    """Whether an argument is a URL that the gateway takes an image by."""
    return text[:8].lower().startswith(("http://", "https://", "data:"))


def image_argument(text: str) -> str:
    """What `/v1/solve` takes for an argument of the command line: a URL, or a file's data URL."""
    if is_url(text):
        return text
    if text == "-":
        raise SolveError("-: an image is a file or a URL; for one that is piped in say /dev/stdin")
    path = Path(text)
    if path.is_dir():
        raise SolveError(f"{text} is a folder: name the images in it, for example {text}/*.png")
    # Names prove nothing: the gateway knows images and PDFs by their bytes.
    return f"data:;base64,{base64.b64encode(_read(path)).decode()}"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_IMAGE_BYTES + 1)
    except OSError as error:
        raise SolveError(f"{path}: {error.strerror}") from error
    if len(data) > _MOST_IMAGE_BYTES:
        raise SolveError(f"{path} has more than {_MOST_IMAGE_BYTES // 2**20} MiB")
    return data


class Gateway:
    """A gateway by its URL. Everything here raises SolveError."""

    def __init__(self, url: str, key: str | None = None) -> None:
        try:
            self.url = client.gateway_url(url)
            self._headers = client.authorization(key)
        except client.ClientError as error:
            raise SolveError(str(error)) from error

    def solve_events(self, request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """(name, data) of each event of a streamed solve; the last one is `done`.

        Events of later versions are left out.
        """
        name = ""
        with (
            self._client() as http,
            self._answer(http, "POST", _SOLVE, json={**request, "stream": True}) as response,
            self._broken_off(),
        ):
            for event in httpx2.EventSource(response):
                if event.event not in _EVENTS:
                    continue
                name, data = event.event, self._data(event)
                if name == "error":
                    raise SolveError(client.message_of(data.get("error")))
                yield name, data
        if name != "done":
            raise SolveError("the gateway ended its answer before it was complete")

    def models(self) -> dict[str, Any]:
        """What GET /v1/models answers."""
        with self._client() as http, self._answer(http, "GET", _MODELS) as response:
            self._refuse_another_service(http)
            with self._broken_off():
                body = response.read()
        try:
            found: dict[str, Any] = response.json()
            [str(card["id"]) for card in found["data"]]
        except (ValueError, LookupError, TypeError) as error:
            raise SolveError(self._refusal(_MODELS, response, body)) from error
        return found

    def _client(self) -> httpx2.Client:
        # A proxy would look for this machine's own services on itself.
        trust_env = not client.is_loopback(self.url)
        return httpx2.Client(timeout=_TIMEOUT, headers=self._headers, trust_env=trust_env)

    @contextmanager
    def _answer(
        self, http: httpx2.Client, method: str, path: str, **more: Any
    ) -> Iterator[httpx2.Response]:
        """The response, once its status says that it is one."""
        with self._stream(http, method, path, **more) as response:
            if not response.is_success:
                with self._broken_off():
                    body = response.read()
                if response.status_code in _NOT_SERVED:
                    self._refuse_another_service(http)
                raise SolveError(self._refusal(path, response, body))
            yield response

    @contextmanager
    def _stream(
        self, http: httpx2.Client, method: str, path: str, **more: Any
    ) -> Iterator[httpx2.Response]:
        request = self._request(http, method, path, **more)
        try:
            response = http.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise SolveError(client.no_connection(self.url, error)) from error
        except httpx2.RequestError as error:
            raise SolveError(client.no_answer(self.url, error)) from error
        try:
            yield response
        finally:
            response.close()

    def _request(self, http: httpx2.Client, method: str, path: str, **more: Any) -> httpx2.Request:
        try:
            return http.build_request(method, self.url + path, **more)
        except httpx2.InvalidURL as error:
            raise SolveError(f"--gateway {self.url}: no URL: {error}") from error
        except UnicodeEncodeError as error:
            raise SolveError("the question, or a name in it, is not UTF-8") from error

    @contextmanager
    def _broken_off(self) -> Iterator[None]:
        try:
            yield
        except httpx2.SSEError as error:
            raise SolveError(
                f"{self.url} answered no event stream: not a RACRO gateway?"
            ) from error
        except httpx2.RequestError as error:
            kind = type(error).__name__
            raise SolveError(f"the gateway broke off its answer ({kind})") from error

    def _data(self, event: httpx2.ServerSentEvent) -> dict[str, Any]:
        try:
            data: Any = event.json()
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise SolveError(f"the gateway's event {event.event[:80]!r} holds no JSON object")
        return data

    def _refusal(self, path: str, response: httpx2.Response, body: bytes) -> str:
        return client.refusal(self.url, path, response.status_code, response.headers, body)

    def _refuse_another_service(self, http: httpx2.Client) -> None:
        """A captioner or a reasoner says what it is, where its description may be read."""
        try:
            description = http.get(self.url + _DESCRIPTION).json()
        except (httpx2.RequestError, ValueError):
            return
        if said := client.another_service(self.url, description):
            raise SolveError(said)

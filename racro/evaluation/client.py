"""Asking the gateway, again where it says later."""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec
import pydantic

from racro.contracts.solve import SolveResponse
from racro.evaluation.errors import EvaluationError, ItemError, UnansweredError

_TRIES = 3
_BACKOFF_S = 1.0
_LONGEST_WAIT_S = 60.0
# Whoever is refused so is refused for every item.
_NOBODY_IS_SERVED = {401: "set the environment variable RACRO_KEY to an API key", 404: ""}
# The gateway's own deadline comes first and tells more.
_GRACE_S = 30


class Gateway(AbstractAsyncContextManager["Gateway"]):
    """A running gateway, asked by at most `concurrency` requests at a time.

    Raises EvaluationError for a URL or a key that cannot be one.
    """

    def __init__(self, url: str, *, key: str | None, concurrency: int, timeout_s: float) -> None:
        _check_url(url)
        _check_key(key)
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            headers={} if key is None else {"authorization": f"Bearer {key}"},
            limits=httpx2.Limits(
                max_connections=concurrency, max_keepalive_connections=concurrency
            ),
            timeout=httpx2.Timeout(timeout_s + _GRACE_S, connect=5),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def check(self, model: str) -> None:
        """Raises EvaluationError if it is not there, or does not know `model`."""
        try:
            response = await self._client.get(f"{self.url}/v1/models")
        except httpx2.ConnectError as error:
            raise EvaluationError(
                f"no gateway answers at {self.url}; `racro up` starts one"
            ) from error
        except httpx2.TransportError as error:
            raise EvaluationError(f"{self.url} does not answer ({_name(error)})") from error
        _refuse_if_nobody_is_served(response)
        try:
            names = [card["id"] for card in response.json()["data"]]
        except (ValueError, LookupError, TypeError) as error:
            raise EvaluationError(
                f"{self.url} answered with status {response.status_code}: not a RACRO gateway?"
            ) from error
        if model not in names:
            raise EvaluationError(f"--model {model}: the gateway has {', '.join(names)}")

    async def solve(self, request: dict[str, Any]) -> SolveResponse:
        """Raises ItemError, or EvaluationError where nothing else would be answered either."""
        body = msgspec.json.encode({**request, "timeout_s": self._timeout_s})
        reason = code = ""
        wait_s = 0.0
        for failed in range(_TRIES):
            await asyncio.sleep(wait_s)
            wait_s = _BACKOFF_S * 2**failed
            try:
                response = await self._post(body)
            except httpx2.TransportError as error:
                reason = f"the gateway broke off or is away ({_name(error)})"
                code = "no_connection"
                continue
            if not _may_come_later(response):
                return _answer(response)
            reason, code = _message(response), _code(response)
            wait_s = _retry_after(response, otherwise=wait_s)
        raise UnansweredError(f"{reason}, {_TRIES} times", code=code)

    async def _post(self, body: bytes) -> httpx2.Response:
        return await self._client.post(
            f"{self.url}/v1/solve", content=body, headers={"content-type": "application/json"}
        )


def _check_url(url: str) -> None:
    try:
        pydantic.TypeAdapter(pydantic.HttpUrl).validate_python(url)
    except pydantic.ValidationError as error:
        message = error.errors()[0]["msg"]
        raise EvaluationError(
            f"--gateway {url}: {message}; one is http://127.0.0.1:8000"
        ) from error


def _check_key(key: str | None) -> None:
    """What a header can carry."""
    if key is not None and not (key.isascii() and key.isprintable()):
        raise EvaluationError("the API key of RACRO_KEY or --key is no printable ASCII")


def _may_come_later(response: httpx2.Response) -> bool:
    return response.is_server_error or response.status_code == httpx2.codes.TOO_MANY_REQUESTS


def _answer(response: httpx2.Response) -> SolveResponse:
    _refuse_if_nobody_is_served(response)
    if not response.is_success:
        raise ItemError(_message(response), code=_code(response))
    try:
        return SolveResponse.model_validate_json(response.content)
    except pydantic.ValidationError as error:
        raise EvaluationError(
            f"{response.url} answers what this version does not know: {error}"
        ) from error


def _refuse_if_nobody_is_served(response: httpx2.Response) -> None:
    if response.status_code in _NOBODY_IS_SERVED:
        advice = _NOBODY_IS_SERVED[response.status_code]
        raise EvaluationError("; ".join(filter(None, (_message(response), advice))))


def _retry_after(response: httpx2.Response, *, otherwise: float) -> float:
    """Seconds; `otherwise` where the header is absent or a date."""
    value = response.headers.get("retry-after", "")
    return min(float(value), _LONGEST_WAIT_S) if value.isdecimal() else otherwise


def _message(response: httpx2.Response) -> str:
    try:
        return f"{response.json()['error']['message']} ({_code(response)})"
    except (ValueError, LookupError, TypeError):
        return _code(response)


def _code(response: httpx2.Response) -> str:
    try:
        return str(response.json()["error"]["code"])
    except (ValueError, LookupError, TypeError):
        return f"status {response.status_code}"


def _name(error: Exception) -> str:
    return type(error).__name__

"""Asking the gateway, again where it says later."""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec
import pydantic

from racro.base.backoff import backoff
from racro.contracts import client
from racro.contracts.solve_api import SolveResponse
from racro.evaluation.failures import EvaluationError, ItemError, UnansweredError

_TRIES = 3
_BACKOFF_S = 1.0
_LONGEST_WAIT_S = 60.0
# Whoever is refused so is refused for every item.
_NOBODY_IS_SERVED = {401, 404}
_SOLVE, _MODELS, _DESCRIPTION = "/v1/solve", "/v1/models", "/openapi.json"
# The gateway's own deadline comes first and tells more.
_GRACE_S = 30


class Gateway(AbstractAsyncContextManager["Gateway"]):
    """A running gateway, asked by at most `concurrency` requests at a time.

    Raises EvaluationError for a URL or a key that cannot be one.
    """

    def __init__(self, url: str, *, key: str | None, concurrency: int, timeout_s: float) -> None:
        try:
            self.url = client.gateway_url(url)
            headers = client.authorization(key)
        except client.ClientError as error:
            raise EvaluationError(str(error)) from error
        self._timeout_s = timeout_s
        self._client = httpx2.AsyncClient(
            headers=headers,
            # A proxy would look for this machine's own services on itself.
            trust_env=not client.is_loopback(self.url),
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
        response = await self._get(_MODELS)
        await self._refuse_another_service()
        self._refuse_if_nobody_is_served(response, _MODELS)
        try:
            names = [card["id"] for card in response.json()["data"]]
        except (ValueError, LookupError, TypeError) as error:
            raise EvaluationError(self._refusal(response, _MODELS)) from error
        if model not in names:
            raise EvaluationError(f"--model {model}: the gateway has {', '.join(names)}")

    async def solve(self, request: dict[str, Any]) -> SolveResponse:
        """Raises ItemError, or EvaluationError where nothing else would be answered either."""
        body = msgspec.json.encode({**request, "timeout_s": self._timeout_s})
        reason = code = ""
        wait_s, pauses = 0.0, backoff(_BACKOFF_S)
        for _ in range(_TRIES):
            await asyncio.sleep(wait_s)
            wait_s = next(pauses)
            try:
                response = await self._post(body)
            except httpx2.TransportError as error:
                reason = f"the gateway broke off or is away ({_name(error)})"
                code = "no_connection"
                continue
            if not _may_come_later(response):
                return self._answer(response)
            reason, code = client.reason_and_code(response.status_code, response.content)
            wait_s = _retry_after(response, otherwise=wait_s)
        raise UnansweredError(f"{reason}, {_TRIES} times", code=code)

    async def _post(self, body: bytes) -> httpx2.Response:
        return await self._client.post(
            self.url + _SOLVE, content=body, headers={"content-type": "application/json"}
        )

    async def _get(self, path: str) -> httpx2.Response:
        try:
            return await self._client.get(self.url + path)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise EvaluationError(client.no_connection(self.url, error)) from error
        except httpx2.RequestError as error:
            raise EvaluationError(client.no_answer(self.url, error)) from error
        except httpx2.InvalidURL as error:
            raise EvaluationError(f"--gateway {self.url}: no URL: {error}") from error

    async def _refuse_another_service(self) -> None:
        """A captioner or a reasoner says what it is, where its description may be read."""
        try:
            description = (await self._get(_DESCRIPTION)).json()
        except (ValueError, EvaluationError):
            return
        if said := client.another_service(self.url, description):
            raise EvaluationError(said)

    def _answer(self, response: httpx2.Response) -> SolveResponse:
        self._refuse_if_nobody_is_served(response, _SOLVE)
        if not response.is_success:
            reason, code = client.reason_and_code(response.status_code, response.content)
            raise ItemError(reason, code=code)
        try:
            return SolveResponse.model_validate_json(response.content)
        except pydantic.ValidationError as error:
            raise EvaluationError(
                f"{response.url} answers what this version does not know: {error}"
            ) from error

    def _refuse_if_nobody_is_served(self, response: httpx2.Response, path: str) -> None:
        if response.status_code in _NOBODY_IS_SERVED:
            raise EvaluationError(self._refusal(response, path))

    def _refusal(self, response: httpx2.Response, path: str) -> str:
        return client.refusal(
            self.url, path, response.status_code, response.headers, response.content
        )


def _may_come_later(response: httpx2.Response) -> bool:
    return response.is_server_error or response.status_code == httpx2.codes.TOO_MANY_REQUESTS


def _retry_after(response: httpx2.Response, *, otherwise: float) -> float:
    """Seconds; `otherwise` where the header is absent."""
    wait_s = client.retry_after_s(response.headers)
    return otherwise if wait_s is None else min(wait_s, _LONGEST_WAIT_S)


def _name(error: Exception) -> str:
    return type(error).__name__

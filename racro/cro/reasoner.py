"""The reasoner that gives the reward: one rollout a call, over OpenAI's chat API."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx2

from racro.contracts.completion import RESULTS, PlainChoice, decode_completion
from racro.cro.reasoner_errors import (
    Failed,
    ReasonerRefused,
    Unanswered,
    Unavailable,
    raise_for_status,
    words_of,
)
from racro.cro.retry_budget import RetryBudget
from racro.cro.settings import RewardSettings
from racro.cro.stats import Stats

_logger = logging.getLogger(__name__)
_CONNECT_TIMEOUT_S = 5
# Below the five seconds after which a uvicorn (vLLM's too) closes an idle connection.
_IDLE_CONNECTION_S = 4
# A replica that was away is asked last for so long.
_AVOIDED_S = 5.0


@dataclass(frozen=True, slots=True)
class Rollout:
    text: str
    finish_reason: str | None
    seconds: float


class _Replica:
    """One of the servers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.busy = 0
        self.avoided_until = 0.0

    @property
    def rank(self) -> tuple[bool, int, float]:
        return time.monotonic() < self.avoided_until, self.busy, random.random()  # noqa: S311


class Reasoner:
    def __init__(self, settings: RewardSettings, stats: Stats) -> None:
        self._settings = settings
        self._stats = stats
        self._replicas = [_Replica(url) for url in settings.urls]
        self._line = asyncio.Semaphore(settings.concurrency)
        self._is_unavailable = False
        key = settings.api_key
        self._client = httpx2.AsyncClient(
            headers={} if key is None else {"authorization": f"Bearer {key}"},
            limits=httpx2.Limits(
                max_connections=None,
                max_keepalive_connections=settings.concurrency,
                keepalive_expiry=_IDLE_CONNECTION_S,
            ),
            timeout=httpx2.Timeout(None, connect=_CONNECT_TIMEOUT_S),
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def ask(self, messages: list[dict[str, str]], *, number: int) -> Rollout:
        """The rollout of that number of a prompt. Raises Unanswered, or ReasonerRefused."""
        body = self._body(messages, number)
        budget = RetryBudget(self._settings)
        while True:
            async with self._line:
                began = time.monotonic()
                try:
                    async with asyncio.timeout(budget.left_s):
                        return await self._attempt(body, began)
                except Unavailable as error:
                    self._note_unavailable(error)
                    pause = budget.after_unavailable(error)
                except TimeoutError as error:
                    deadline_s = self._settings.deadline_s
                    raise Unanswered(f"no answer within {deadline_s:g} s") from error
                except Failed as failure:
                    took_s = time.monotonic() - began
                    pause = budget.after_failure(failure, took_s=took_s)
            self._stats.retries += 1
            await asyncio.sleep(pause)

    def _body(self, messages: list[dict[str, str]], number: int) -> dict[str, Any]:
        sampling = self._settings.sampling.model_dump(exclude_none=True)
        if "seed" in sampling:
            sampling["seed"] += number
        if "max_tokens" in sampling:
            sampling[self._settings.max_tokens_field] = sampling.pop("max_tokens")
        return {"model": self._settings.model, "messages": messages, **sampling}

    async def _attempt(self, body: dict[str, Any], began: float) -> Rollout:
        """Raises Unavailable, Failed, Unanswered or ReasonerRefused."""
        async with self._least_busy() as replica:
            response = await self._post(f"{replica.url}/chat/completions", body)
            raise_for_status(response)
        choice = _parse(response)
        self._note_answer()
        if choice.finish_reason not in RESULTS:
            raise Failed(f"{replica.url}: an answer with finish_reason {choice.finish_reason!r}")
        seconds = time.monotonic() - began
        return Rollout(choice.message.text, choice.finish_reason, seconds)

    @asynccontextmanager
    async def _least_busy(self) -> AsyncIterator[_Replica]:
        replica = min(self._replicas, key=lambda one: one.rank)
        replica.busy += 1
        try:
            yield replica
        except Unavailable:
            replica.avoided_until = time.monotonic() + _AVOIDED_S
            raise
        finally:
            replica.busy -= 1

    async def _post(self, url: str, body: dict[str, Any]) -> httpx2.Response:
        try:
            return await self._client.post(url, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise Unavailable(f"{url} cannot be connected to") from error
        except httpx2.TransportError as error:
            raise Failed(f"{url} broke off its answer ({type(error).__name__})") from error

    def _note_unavailable(self, error: Unavailable) -> None:
        if not self._is_unavailable:
            self._is_unavailable = True
            _logger.warning(
                "waiting for the reasoner, up to %g s: %s", self._settings.patience_s, error
            )

    def _note_answer(self) -> None:
        if self._is_unavailable:
            self._is_unavailable = False
            _logger.warning("the reasoner is back")


def _parse(response: httpx2.Response) -> PlainChoice:
    """Return the answer. Raises Failed for an error in its place, ReasonerRefused for no answer."""
    try:
        completion = decode_completion(response.content)
    except (ValueError, RecursionError) as error:
        raise ReasonerRefused(_no_completion(response)) from error
    if completion.has_failed:
        raise Failed(f"{response.url} answered with an error: {words_of(response)}")
    if not completion.choices:
        raise ReasonerRefused(_no_completion(response))
    return completion.choices[0]


def _no_completion(response: httpx2.Response) -> str:
    return f"{response.url} answered with something else than a chat completion"

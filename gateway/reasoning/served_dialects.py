"""Which APIs the server of a reasoner serves: as its settings say, or as the server is asked."""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal, get_args

from gateway.reasoning.replicas import Replicas
from gateway.reasoning.request_headers import key_headers
from gateway.settings import Dialect, ReasonerSection
from racro.contracts.errors import DialectUnsupported, NotStarted, UpstreamError
from racro.servekit.peer_timeout import peer_timeout
from racro.servekit.relay import SUCCESSES
from racro.servekit.settings import api_key
from racro.servekit.spaced_probe import SpacedProbe
from racro.servekit.upstream import SAYS_NOBODY_IS_THERE, Upstream

# A dialect, or what not every server of Anthropic's messages has.
Api = Dialect | Literal["count_tokens"]

PATHS: Mapping[Api, str] = {
    "chat": "/chat/completions",
    "responses": "/responses",
    "messages": "/messages",
    "count_tokens": "/messages/count_tokens",
}
_DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

# A server that no longer serves what it did says so itself; one that did not may be a new one.
_SERVED_BELIEVED_S = 600
_ABSENT_BELIEVED_S = 30
# One that is busy answers late.
_ANSWERED_IN_S = 5
# No server can begin with an answer to it; whoever has the path says that it is no JSON.
_NO_JSON = b"{"
_NOT_SERVED = frozenset({404, 405, 410, 501})


class ServedDialects:
    """Tells which APIs a reasoner's server serves. `now` is a clock in seconds.

    Chat is not asked for. Of the others the server's model card is believed, where it has
    `dialects`, and else how it refuses a request that is no JSON: only when a client needs to know,
    and for ten minutes, or half a minute where an API is not served.
    """

    def __init__(
        self,
        name: str,
        settings: ReasonerSection,
        replicas: Replicas,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._settings = settings
        self._replicas = replicas
        self._key = api_key(settings.api_key_env)
        asked: tuple[Api, ...] = ("responses", "messages", "count_tokens")
        self._questions = {api: _Question(partial(self._ask, api), now) for api in asked}

    async def check(self, api: Api) -> None:
        """Raise DialectUnsupported where an API is not served, which names those that are.

        Raises UpstreamError where the server has to be asked and does not answer.
        """
        if await self._serves(api):
            return
        others = [one for one in _DIALECTS if one != api and await self._would_serve(one)]
        raise DialectUnsupported(
            f"the reasoner {self._name} does not serve /v1{PATHS[api]}; it serves "
            + " and ".join(f"/v1{PATHS[one]}" for one in others),
            param="model",
        )

    async def _serves(self, api: Api) -> bool:
        if api == "count_tokens":
            return await self._serves("messages") and await self._questions[api].answer()
        if self._settings.dialects is not None:
            return api in self._settings.dialects
        return api == "chat" or await self._questions[api].answer()

    async def _would_serve(self, dialect: Dialect) -> bool:
        """Tell whether a dialect is served, as far as the server can be asked."""
        with suppress(UpstreamError):
            return await self._serves(dialect)
        return False

    async def _ask(self, api: Api) -> bool:
        """Ask the server. Raises UpstreamError where it does not answer."""
        told = await self._told() if api != "count_tokens" else None
        if told is not None:
            return api in told
        path = PATHS[api]
        return await self._replicas.ask_one(partial(_has, path, key_headers(path, self._key)))

    async def _told(self) -> list[Any] | None:
        """Return the dialects of the model's card, where it has one that tells them."""
        if self._settings.revision is not None:
            return None  # Such a server need not list its models.
        with suppress(UpstreamError):
            listing = await self._replicas.ask_one(lambda upstream: upstream.get_json("/models"))
            dialects = card_of(listing, self._settings.model).get("dialects")
            return dialects if isinstance(dialects, list) else None
        return None


class _Question:
    """A question to a server whose answer is remembered; those who ask at once share it."""

    def __init__(self, ask: Callable[[], Any], now: Callable[[], float]) -> None:
        self._ask_server = ask
        self._answer: bool | None = None
        self._probe = SpacedProbe(self._ask, interval_s=_SERVED_BELIEVED_S, now=now)

    async def answer(self) -> bool:
        """Return the answer. Raises UpstreamError where the server never gave one."""
        believed_s = {True: math.inf, False: _ABSENT_BELIEVED_S, None: 0}[self._answer]
        try:
            await self._probe.check(believed_s=believed_s)
        except UpstreamError:
            if self._answer is None:
                raise
        return bool(self._answer)

    async def _ask(self) -> None:
        self._answer = await self._ask_server()


async def _has(path: str, headers: Mapping[str, str], upstream: Upstream) -> bool:
    """Tell whether a server has an API, by how it refuses what is no JSON.

    Raises UpstreamError where it does not answer, or says that nobody is there.
    """
    request = upstream.request("POST", path, body=_NO_JSON, headers=headers)
    try:
        async with peer_timeout(_ANSWERED_IN_S), request as response:
            status = response.status
    except TimeoutError as error:
        raise NotStarted(f"the {upstream.name} did not answer in time") from error
    if status in SAYS_NOBODY_IS_THERE:
        raise NotStarted(f"the {upstream.name} answered {status}")
    # What is taken as good nobody has read: LM Studio answers 200 under paths that it has not.
    return status not in _NOT_SERVED and status not in SUCCESSES


def card_of(listing: Any, model: str) -> Mapping[str, Any]:
    """Return what a server's list of models says of one of them, nothing where it is not in it."""
    cards = listing.get("data") if isinstance(listing, dict) else None
    for card in cards if isinstance(cards, list) else ():
        if isinstance(card, dict) and card.get("id") == model:
            return card
    return {}

"""What can go wrong with a reasoner, and for how long a rollout puts up with it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from racro.base.backoff import backoff
from racro.cro.settings import RewardSettings

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_WORDS_OF_THE_SERVER = 300
# 502 is how a proxy says that the server behind it is down.
_AWAY = {429, 502, 503}
_OF_ONE_REQUEST = {400, 413, 422}
_HINTS = {
    401: "api_key_env names the variable that holds its key",
    403: "api_key_env names the variable that holds its key",
    404: "check the model's name, and that the URL ends in /v1",
}


class ReasonerRefused(Exception):
    """Nothing that waiting mends: a wrong key, an unknown model, settings that it does not take."""


class Unanswered(Exception):
    """A rollout did not come, though it was tried again and waited for."""


class RequestRefused(Unanswered):
    """Perhaps this one request alone: too long, say."""


class Away(Exception):
    """The reasoner has begun nothing: it is down, starting, or has too much to do."""

    def __init__(self, message: str, *, retry_after_s: float = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Failed(Exception):
    """The reasoner failed at its work; another try may succeed."""


def raise_for_status(response: httpx2.Response) -> None:
    """Raises Away, Failed, RequestRefused or ReasonerRefused."""
    status = response.status_code
    if response.is_success:
        return
    message = f"{response.url} answered with status {status}: {_words(response)}"
    if status in _AWAY:
        raise Away(message, retry_after_s=_retry_after_s(response))
    if response.is_server_error or status == httpx2.codes.REQUEST_TIMEOUT:
        raise Failed(message)
    if status in _OF_ONE_REQUEST:
        raise RequestRefused(message)
    hint = _HINTS.get(status)
    raise ReasonerRefused(f"{message} ({hint})" if hint else message)


def _words(response: httpx2.Response) -> str:
    return " ".join(response.text.split())[:_WORDS_OF_THE_SERVER] or "nothing more"


def _retry_after_s(response: httpx2.Response) -> float:
    """0 where the header is missing or makes no sense."""
    value = response.headers.get("retry-after", "")
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0
    return max(0.0, (at.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _pauses() -> Iterator[float]:
    return backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S, jitter=(0.5, 1))


class Endurance:
    """What one rollout has left of its attempts, its deadline and its patience."""

    def __init__(self, settings: RewardSettings) -> None:
        self.left_s = settings.deadline_s
        self._attempts = settings.attempts
        self._patience_s = settings.patience_s
        self._away_since: float | None = None
        self._pauses = _pauses()

    def after_away(self, away: Away) -> float:
        """How long to wait before the next try. Raises Unanswered when patience is at its end."""
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            self._pauses = _pauses()
        patience_s = self._away_since + self._patience_s - now
        if patience_s <= 0 or away.retry_after_s > patience_s:
            raise Unanswered(f"the reasoner stayed away: {away}") from away
        return min(max(next(self._pauses), away.retry_after_s), patience_s)

    def after_failure(self, failure: Failed, *, took_s: float) -> float:
        """As after_away; raises Unanswered when attempts or deadline are used up."""
        self._away_since = None
        self._attempts -= 1
        pause = next(self._pauses)
        self.left_s -= took_s + pause
        if self._attempts == 0 or self.left_s <= 0:
            raise Unanswered(f"the reasoner failed: {failure}") from failure
        return pause

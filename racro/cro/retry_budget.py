"""How long a rollout is tried: attempts, deadline, and patience with a reasoner that is down."""

import time
from collections.abc import Iterator

from racro.base.backoff import backoff
from racro.cro.reasoner_errors import Failed, Unanswered, Unavailable
from racro.cro.settings import RewardSettings

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0


class RetryBudget:
    """What one rollout has left of its attempts, its deadline and its patience."""

    def __init__(self, settings: RewardSettings) -> None:
        self.left_s = settings.deadline_s
        self._attempts = settings.attempts
        self._patience_s = settings.patience_s
        self._unavailable_since: float | None = None
        self._pauses = _pauses()

    def after_unavailable(self, error: Unavailable) -> float:
        """How long to wait before the next try. Raises Unanswered when patience is at its end."""
        now = time.monotonic()
        if self._unavailable_since is None:
            self._unavailable_since = now
            self._pauses = _pauses()
        patience_s = self._unavailable_since + self._patience_s - now
        if patience_s <= 0 or error.retry_after_s > patience_s:
            raise Unanswered(f"the reasoner stayed away: {error}") from error
        return min(max(next(self._pauses), error.retry_after_s), patience_s)

    def after_failure(self, failure: Failed, *, took_s: float) -> float:
        """As after_unavailable; raises Unanswered when attempts or deadline are used up."""
        self._unavailable_since = None
        self._attempts -= 1
        pause = next(self._pauses)
        self.left_s -= took_s + pause
        if self._attempts == 0 or self.left_s <= 0:
            raise Unanswered(f"the reasoner failed: {failure}") from failure
        return pause


def _pauses() -> Iterator[float]:
    return backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S, jitter=(0.5, 1))

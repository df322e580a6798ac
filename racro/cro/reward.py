"""The reward of a caption: how often a reasoner, given caption and question only, is right.

Framework-neutral: `racro.cro.trl` and `racro.cro.verl` fit it to trainers.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Self, TypeVar

from racro.answers.extract import solve_answer
from racro.contracts.prompts import reward_messages
from racro.cro import terms
from racro.cro.captioned import Captioned
from racro.cro.reasoner import Reasoner
from racro.cro.reasoner_errors import ReasonerRefused, RequestRefused, Unanswered
from racro.cro.rollouts import RolloutLine, RolloutLog
from racro.cro.settings import RewardSettings
from racro.cro.stats import Stats
from racro.grading import Grader, Ungradable

_logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Score:
    """`accuracy` is the share of right rollouts, `terms` each term before its weight, also those
    that weigh nothing. Without a reward, `left_out` says why.
    """

    reward: float | None
    accuracy: float | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    left_out: str = ""


class Reward:
    """Belongs to the event loop in which it is opened, once. `stats` counts what it did."""

    def __init__(self, settings: RewardSettings) -> None:
        self.stats = Stats()
        self._settings = settings
        self._reasoner = Reasoner(settings, self.stats)
        self._grader = Grader(workers=settings.graders)
        self._log = RolloutLog(settings.log)
        self._opening = asyncio.Lock()
        self._resources: AsyncExitStack | None = None
        self._refused: RequestRefused | None = None

    async def open(self) -> Self:
        """Does nothing where it is open. Raises OSError for a log that cannot be written."""
        async with self._opening:
            if self._resources is None:
                async with AsyncExitStack() as stack:
                    stack.enter_context(self._log)
                    await stack.enter_async_context(self._grader)
                    await stack.enter_async_context(self._reasoner)
                    self._resources = stack.pop_all()
        return self

    async def aclose(self) -> None:
        if self._resources is not None:
            await self._resources.aclose()
            self._resources = None

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def __call__(self, rows: Sequence[Captioned]) -> list[float | None]:
        """None: the row is to be left out, for its reward is not known. Raises as `scores`."""
        return [score.reward for score in await self.scores(rows)]

    async def scores(self, rows: Sequence[Captioned]) -> list[Score]:
        """Raises ReasonerRefused where no row could ever be rewarded, and OSError of the log."""
        scores = await _side_by_side(self._score(row) for row in rows)
        # Where any was answered the settings are right, and it is the prompts that were refused.
        if self._refused is not None and not self.stats.rollouts:
            raise ReasonerRefused(str(self._refused)) from self._refused
        missing = [
            (row, score) for row, score in zip(rows, scores, strict=True) if score.reward is None
        ]
        if missing:
            row, score = missing[0]
            _logger.warning(
                "%d of %d captions have no reward; %s: %s",
                len(missing), len(rows), row.id, score.left_out,
            )  # fmt: skip
        return scores

    async def _score(self, row: Captioned) -> Score:
        messages = reward_messages(self._settings.prompt_profile, row.question, row.caption)
        numbers = range(self._settings.rollouts)
        try:
            outcomes = await _side_by_side(self._try(row, messages, number) for number in numbers)
        except Ungradable as error:
            return Score(None, left_out=str(error))
        rights = [outcome for outcome in outcomes if isinstance(outcome, bool)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Unanswered)]
        if len(rights) < len(failures):
            return Score(None, left_out=str(failures[0]))
        return self._weighed(row, fmean(rights))

    async def _try(
        self, row: Captioned, messages: list[dict[str, str]], number: int
    ) -> bool | Unanswered:
        """Whether the rollout is right, or why it did not come. Raises Ungradable."""
        try:
            rollout = await self._reasoner.ask(messages, number=number)
        except RequestRefused as refused:
            self._refused = refused
            return refused
        except Unanswered as failure:
            return failure
        self.stats.rollouts += 1
        answer = solve_answer(self._settings.prompt_profile, rollout.text)
        right = await self._grader.is_right(answer, row.answer, row.options)
        self._log.append(
            RolloutLine(
                id=row.id,
                caption=row.caption,
                text=rollout.text,
                answer=answer,
                right=right,
                finish_reason=rollout.finish_reason,
                seconds=round(rollout.seconds, 3),
            )
        )
        return right

    def _weighed(self, row: Captioned, accuracy: float) -> Score:
        weights = self._settings.terms
        leak = terms.leak(row)
        length = terms.length(row, limit=weights.length_limit)
        form = terms.format(row)
        reward = accuracy + weights.leak * leak + weights.length * length + weights.format * form
        return Score(reward, accuracy, {"leak": leak, "length": length, "format": form})


async def _side_by_side(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Results in order; the first failure cancels the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]

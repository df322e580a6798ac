"""The reward as TRL's GRPOTrainer takes it (TRL 1.16: `reward_funcs`). Imports no TRL.

Make it the only reward function: terms are weighed in it, and TRL leaves out a row only where all
of its functions say None.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from statistics import fmean
from typing import Any

from racro.cro.captioned import Captioned
from racro.cro.reward import Reward, Score

# Plain text, or the messages of a conversation.
Completion = str | Sequence[Mapping[str, Any]]
RewardFunction = Callable[..., Coroutine[Any, Any, list[float | None]]]


def reward_function(reward: Reward) -> RewardFunction:
    """Opens `reward` in the event loop of TRL, with the first batch.

    The dataset has the columns `question` (with its options in it, as `Problem.prompt`) and
    `answer`; it may have `id` and `options` (letter -> text).
    """

    async def cro_reward(
        *,
        completions: Sequence[Completion],
        question: Sequence[str],
        answer: Sequence[str],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        await reward.open()
        ids = columns.get("id") or map(str, range(len(completions)))
        options = columns.get("options") or [None] * len(completions)
        rows = zip(ids, question, completions, answer, options, strict=True)
        retries_before = reward.stats.retries
        scores = await reward.scores([_captioned(*row) for row in rows])
        if log_metric is not None:
            retries = reward.stats.retries - retries_before
            for name, value in {**_metrics(scores), "cro/retries": retries}.items():
                log_metric(name, value)
        return [score.reward for score in scores]

    return cro_reward


def _captioned(
    identifier: Any,
    question: str,
    completion: Completion,
    answer: str,
    options: Mapping[str, str | None] | None,
) -> Captioned:
    """`datasets` gives every row the letters of all, None where a row has no such option."""
    caption = completion if isinstance(completion, str) else str(completion[-1]["content"])
    known = {letter: text for letter, text in (options or {}).items() if text is not None}
    return Captioned(str(identifier), question, caption, answer, known)


def _metrics(scores: Sequence[Score]) -> dict[str, float]:
    """Of one batch: shares of right rollouts and of rows left out, and the mean of each term."""
    accuracies = [score.accuracy for score in scores if score.accuracy is not None]
    measured = [score.terms for score in scores if score.terms]
    metrics = {"cro/left_out": 1 - len(accuracies) / len(scores)}
    if accuracies:
        metrics["cro/accuracy"] = fmean(accuracies)
        for term in measured[0]:
            metrics[f"cro/{term}"] = fmean(terms[term] for terms in measured)
    return metrics

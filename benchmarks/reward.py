"""The reward of Caption Reward Optimization, over a reasoner that answers at once."""

import asyncio
import time

from benchmarks import deployments
from benchmarks.report import Row
from racro.cro.captioned import Captioned
from racro.cro.reward import Reward
from racro.cro.settings import RewardSettings

_CAPTIONS = 250
_ROLLOUTS = 4
# 50 graded rollouts a second.
_TARGET_MS = 20
# The scripted reasoner says 42: a number that the rules compare, a formula that takes algebra.
_EXPECTED = {"a number": "42", "a formula": r"\sqrt{x} + 1"}


def run() -> list[Row]:
    with deployments.upstream() as reasoner:
        settings = RewardSettings(
            urls=(f"{reasoner.url}/v1",), model="scripted", rollouts=_ROLLOUTS
        )
        return [
            Row(
                "reward",
                f"a rollout, the expected answer is {what}",
                asyncio.run(_milliseconds(settings, answer)),
                "ms",
                _TARGET_MS,
            )
            for what, answer in _EXPECTED.items()
        ]


async def _milliseconds(settings: RewardSettings, answer: str) -> float:
    rows = [
        Captioned(str(number), "How high is the bar?", f"Bar {number}.", answer)
        for number in range(_CAPTIONS)
    ]
    async with Reward(settings) as reward:
        await reward(rows[:2])
        began = time.perf_counter()
        await reward(rows)
        return (time.perf_counter() - began) / (_CAPTIONS * _ROLLOUTS) * 1e3

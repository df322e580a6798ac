"""The reward as verl takes it (verl 0.9.1: `reward.custom_reward_function`). Imports no verl.

`path: pkg://racro.cro.verl, name: compute_score`, with the reward manager `naive`: `rate_limited`
turns errors into rewards of 0. Settings come from the TOML file that `CRO_REWARD_CONFIG` names.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from racro.base.wrong_settings import WrongSettingsError
from racro.cro.captioned import Captioned
from racro.cro.reward import Reward
from racro.cro.settings import RewardFile, read_settings

CONFIG_VARIABLE = "CRO_REWARD_CONFIG"


class NoReward(Exception):
    """verl cannot leave out a row, and a 0 would blame the captioner: training stops instead, to be
    resumed from its checkpoint.
    """


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any],
    **_: Any,
) -> dict[str, float]:
    """`extra_info` has `question` (with its options in it) and may have `index` and `options`.

    Raises NoReward, ReasonerRefused or WrongSettingsError.
    """
    options = extra_info.get("options") or {}
    row = Captioned(
        id=f"{data_source}/{extra_info.get('index', '?')}",
        question=extra_info["question"],
        caption=solution_str,
        answer=ground_truth,
        options={letter: text for letter, text in options.items() if text is not None},
    )
    [score] = await (await opened_reward()).scores([row])
    if score.reward is None or score.accuracy is None:
        raise NoReward(f"{row.id}: {score.left_out}")
    return {"score": score.reward, "acc": score.accuracy, **score.terms}


async def opened_reward() -> Reward:
    """The one of this process: verl computes rewards in workers, an event loop in each.

    Raises WrongSettingsError.
    """
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        raise WrongSettingsError(f"{CONFIG_VARIABLE} names no TOML file with a table [reward]")
    return await _reward(Path(path)).open()


@cache
def _reward(path: Path) -> Reward:
    return Reward(read_settings(path, RewardFile).reward)

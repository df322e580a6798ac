"""Counts of a reward's work, for a trainer's log."""

from dataclasses import dataclass


@dataclass
class Stats:
    """Since the reward was made. `left_out` is captions without a reward, the `ungradable` ones
    among them.
    """

    rewards: int = 0
    left_out: int = 0
    ungradable: int = 0
    rollouts: int = 0
    retries: int = 0

"""Counts of a reward's work."""

from dataclasses import dataclass


@dataclass
class Stats:
    """Since the reward was made: rollouts that were answered, and further tries of all."""

    rollouts: int = 0
    retries: int = 0

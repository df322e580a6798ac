"""Intervals and tests for outcomes that are right or wrong. Shares are between 0 and 1."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
_SEED = 2506_04559
_INTERVAL_95 = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """Of a share, or of a difference between two, over `n` items, with its 95% interval."""

    value: float
    low: float
    high: float
    n: int


def accuracy(right: int, n: int) -> Estimate:
    """The share of right answers, with its percentile bootstrap interval (Efron 1979).

    Drawing n items with replacement and counting the right ones is drawing from a binomial, so
    the resamples need no items. With none or all right the interval is a point. Raises ValueError
    for n = 0.
    """
    _refuse_nothing(n)
    counts = np.random.default_rng(_SEED).binomial(n, right / n, RESAMPLES)
    return _estimate(right, counts, n)


def difference(gained: int, lost: int, n: int) -> Estimate:
    """How much more often one of two is right on the same n items, resampled in pairs.

    `gained` are the items that only the first has right, `lost` those that only the second has:
    a resample of pairs draws their counts from a multinomial. Raises ValueError for n = 0.
    """
    _refuse_nothing(n)
    shares = [gained / n, lost / n, (n - gained - lost) / n]
    counts = np.random.default_rng(_SEED).multinomial(n, shares, RESAMPLES)
    return _estimate(gained - lost, counts[:, 0] - counts[:, 1], n)


def _refuse_nothing(n: int) -> None:
    if n < 1:
        raise ValueError("nothing can be said about no items")


def _estimate(count: int, resampled: NDArray[np.int64], n: int) -> Estimate:
    low, high = np.percentile(resampled, _INTERVAL_95) / n
    return Estimate(count / n, float(low), float(high), n)


def mcnemar(gained: int, lost: int) -> float:
    """McNemar's test (1947) in its exact form: the two-sided p-value of a fair coin having split
    the discordant pairs at least this unevenly. Exact integers, so large counts lose nothing.
    """
    tosses = gained + lost
    combinations = tail = 1
    for heads in range(min(gained, lost)):
        combinations = combinations * (tosses - heads) // (heads + 1)
        tail += combinations
    return min(1.0, 2 * tail / (1 << tosses))

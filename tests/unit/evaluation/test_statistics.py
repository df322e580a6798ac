"""Intervals and tests, against what they stand for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.evaluation.statistics import accuracy, difference, mcnemar

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def resampled(outcomes: np.ndarray) -> tuple[float, float]:
    """The bootstrap as it is told: items drawn with replacement, their mean, its percentiles."""
    random = np.random.default_rng(1)
    drawn = random.choice(outcomes, (10_000, len(outcomes)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return low, high


@pytest.mark.parametrize(("right", "n"), [(3, 10), (40, 60), (150, 200)])
def test_the_interval_is_that_of_resampled_items(right, n) -> None:
    estimate = accuracy(right, n)
    low, high = resampled(np.repeat([1, 0], [right, n - right]))
    step = 1 / n  # the finest that a share of n items can differ by
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=step)


@pytest.mark.parametrize(("gained", "lost", "n"), [(5, 2, 20), (30, 10, 100)])
def test_the_interval_of_a_difference_is_that_of_resampled_pairs(gained, lost, n) -> None:
    estimate = difference(gained, lost, n)
    low, high = resampled(np.repeat([1, -1, 0], [gained, lost, n - gained - lost]))
    assert estimate.value == pytest.approx((gained - lost) / n)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1 / n)


@given(COUNTS)
def test_an_interval_holds_its_value_and_is_the_same_each_time(counts) -> None:
    right, n = counts
    estimate = accuracy(right, n)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate == accuracy(right, n)


def test_95_of_100_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(2)
    intervals = [accuracy(int(right), 200) for right in random.binomial(200, 0.6, 500)]
    holding = sum(one.low <= 0.6 <= one.high for one in intervals)
    assert 0.92 < holding / 500 < 0.98


def test_nothing_is_said_about_no_items() -> None:
    with pytest.raises(ValueError, match="no items"):
        accuracy(0, 0)
    with pytest.raises(ValueError, match="no items"):
        difference(0, 0, 0)


@pytest.mark.parametrize(
    ("gained", "lost", "p_value"),
    [
        (0, 0, 1),
        (5, 5, 1),
        (1, 0, 1),
        (0, 6, 2 / 2**6),
        (8, 1, 2 * (1 + 9) / 2**9),
        (10, 2, 2 * (1 + 12 + 66) / 2**12),
    ],
)
def test_mcnemar_by_hand(gained, lost, p_value) -> None:
    assert mcnemar(gained, lost) == pytest.approx(p_value)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_two_sided_binomial_tail(gained, lost) -> None:
    n = gained + lost
    tail = sum(math.comb(n, k) for k in range(min(gained, lost) + 1)) / 2**n
    assert mcnemar(gained, lost) == pytest.approx(min(1, 2 * tail))
    assert mcnemar(gained, lost) == mcnemar(lost, gained)


def test_mcnemar_of_thousands() -> None:
    # The normal approximation with continuity correction: z = (|b - c| - 1) / sqrt(b + c).
    z = (200 - 1) / math.sqrt(5000)
    assert mcnemar(2600, 2400) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.01)
    assert 0 <= mcnemar(9000, 1000) < 1e-300

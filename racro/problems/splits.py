"""Splits that depend on nothing but a problem's own images and a seed."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from itertools import accumulate

from racro.problems.problem import Problem, image_bytes


def split(
    problems: Iterable[Problem], shares: Mapping[str, float], *, seed: int
) -> dict[str, list[Problem]]:
    """Problems by the name of their split, in their order. Raises as `split_of`."""
    parts: dict[str, list[Problem]] = {name: [] for name in shares}
    for problem in problems:
        parts[split_of(problem, shares, seed=seed)].append(problem)
    return parts


def split_of(problem: Problem, shares: Mapping[str, float], *, seed: int) -> str:
    """Its name: `shares` of all problems on average.

    Problems with the same images come to the same split whatever else there is; of several images
    the one with the least digest counts. Raises ValueError unless the shares add up to 1.
    """
    if not math.isclose(sum(shares.values()), 1) or min(shares.values()) < 0:
        raise ValueError(f"shares must be 0 or more and add up to 1, not {dict(shares)}")
    return _name(_draw(problem, seed), shares)


def _draw(problem: Problem, seed: int) -> float:
    """Evenly from [0, 1)."""
    least = min(hashlib.sha256(image_bytes(image)).digest() for image in problem.images)
    drawn = hashlib.sha256(f"{seed}:".encode() + least).digest()
    return int.from_bytes(drawn[:6]) / 2**48


def _name(draw: float, shares: Mapping[str, float]) -> str:
    ends = zip(shares, accumulate(shares.values()), strict=True)
    last = [name for name, share in shares.items() if share][-1]
    return next((name for name, end in ends if draw < end), last)

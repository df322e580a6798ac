"""Two runs on the same items: is one of them right more often, beyond chance?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from racro.evaluation.failures import EvaluationError
from racro.evaluation.results import Condition, Result, read_folder
from racro.evaluation.statistics import Estimate, accuracy, difference, mcnemar


@dataclass(frozen=True)
class Comparison:
    """Of A with B, over `n` items. `p_value` is McNemar's; `gained` are right in A alone, `lost` in
    B alone; `only_a` and `only_b` are items that the other has not.
    """

    condition: Condition
    a: Estimate
    b: Estimate
    difference: Estimate
    p_value: float
    gained: int
    lost: int
    only_a: int
    only_b: int


def compare_folders(a: Path, b: Path, condition: Condition) -> Comparison:
    """Raises EvaluationError."""
    (run_a, results_a), (run_b, results_b) = read_folder(a), read_folder(b)
    if run_a.sha256 != run_b.sha256:
        raise EvaluationError(
            f"{a} is of {run_a.data} and {b} of {run_b.data}: their SHA-256 differ, so the same id "
            "need not be the same item"
        )
    return compare(_rights(results_a, condition), _rights(results_b, condition), condition)


def compare(a: Mapping[str, bool], b: Mapping[str, bool], condition: Condition) -> Comparison:
    """`a` and `b` tell of each item, by id, whether it is right. Raises EvaluationError."""
    both = a.keys() & b.keys()
    if not both:
        raise EvaluationError(f"no item has an answer {condition} in both")
    gained = sum(a[item] > b[item] for item in both)
    lost = sum(a[item] < b[item] for item in both)
    return Comparison(
        condition=condition,
        a=accuracy(sum(a[item] for item in both), len(both)),
        b=accuracy(sum(b[item] for item in both), len(both)),
        difference=difference(gained, lost, len(both)),
        p_value=mcnemar(gained, lost),
        gained=gained,
        lost=lost,
        only_a=len(a.keys() - both),
        only_b=len(b.keys() - both),
    )


def _rights(results: Mapping[str, Result], condition: Condition) -> dict[str, bool]:
    return {
        item: right
        for item, result in results.items()
        if (right := result.right(condition)) is not None
    }

"""Results counted: how often each condition's answers are right, over all and by category."""

from collections.abc import Collection, Iterable

from racro.evaluation.results import CONDITIONS, Condition, Result
from racro.evaluation.statistics import Estimate, accuracy

OVERALL = "overall"

# Of one group of items. None: no item of it was answered under that condition.
Scores = dict[Condition, Estimate | None]


def score(results: Iterable[Result], condition: Condition) -> Estimate | None:
    rights = [right for result in results if (right := result.right(condition)) is not None]
    return accuracy(sum(rights), len(rights)) if rights else None


def scores(results: Collection[Result]) -> Scores:
    return {condition: score(results, condition) for condition in CONDITIONS}


def by_category(results: Collection[Result]) -> dict[str, Scores]:
    """All results first, then each category where there are several."""
    categories = sorted({result.category for result in results})
    parts = {name: [one for one in results if one.category == name] for name in categories}
    table = {OVERALL: scores(results)}
    if len(parts) > 1:
        table |= {name or "(none)": scores(part) for name, part in parts.items()}
    return table


def percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    value, low, high = (100 * one for one in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} ({low:.1f} to {high:.1f})"

"""What metrics call tenants: so many by name, and no more whatever comes and goes."""

from collections.abc import Collection, Iterator

import pytest

from gateway import metrics
from gateway.tenancy.tenant_labels import OTHERS, TenantLabels

NAMES = [f"t{number}" for number in range(20)]


@pytest.fixture(autouse=True)
def _no_series_are_left() -> Iterator[None]:
    yield
    for name in NAMES:
        metrics.forget_tenant(name)


def update(labels: TenantLabels, names: Collection[str]) -> None:
    for name in labels.update(names):
        labels.meet(name)


def named(labels: TenantLabels) -> set[str]:
    return {labels.label(name) for name in NAMES} - {OTHERS}


def test_those_that_are_met_first_are_named_where_not_all_can_be() -> None:
    labels = TenantLabels(2)
    update(labels, NAMES[:4])
    assert named(labels) == set()
    for name in ("t3", "t1", "t0", "t3"):
        labels.meet(name)
    assert named(labels) == {"t3", "t1"}


def test_all_are_named_at_once_where_they_can_be() -> None:
    labels = TenantLabels(4)
    update(labels, NAMES[:4])
    assert named(labels) == set(NAMES[:4])


def test_a_request_of_a_removed_tenant_that_lost_its_place_counts_with_the_others() -> None:
    labels = TenantLabels(1)
    update(labels, ["t0"])
    update(labels, ["t1"])
    assert named(labels) == {"t1"}
    labels.meet("t0")
    assert (labels.label("t0"), named(labels)) == (OTHERS, {"t1"})


def test_one_that_comes_back_in_time_keeps_its_place() -> None:
    labels = TenantLabels(2)
    for names in (["t0"], ["t1"], ["t0", "t1"], ["t0", "t1", "t2"]):
        update(labels, names)
    labels.meet("t2")
    assert named(labels) == {"t0", "t1"}


def test_the_one_that_was_removed_first_loses_its_place_first() -> None:
    labels = TenantLabels(8)
    update(labels, NAMES[:8])
    order = ["t5", "t2", "t7", "t0"]
    for count in range(1, len(order) + 1):
        update(labels, [name for name in NAMES[:8] if name not in order[:count]])
    left = [name for name in NAMES[:8] if name not in order]
    for count in range(1, len(order) + 1):
        update(labels, [*left, *NAMES[10 : 10 + count]])
        assert named(labels).isdisjoint(order[:count])
        assert named(labels) >= set(order[count:])


def test_there_are_never_more_than_may_be() -> None:
    labels = TenantLabels(3)
    for first in range(len(NAMES)):
        update(labels, NAMES[first : first + 5])
        for name in NAMES:
            labels.meet(name)
        assert len(named(labels)) == 3 or first > len(NAMES) - 3


def test_none_is_named_where_none_may_be() -> None:
    labels = TenantLabels(0)
    update(labels, NAMES)
    labels.meet("t0")
    assert labels.label("t0") == ""

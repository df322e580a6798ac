"""When a service that is ending serves, refuses and ends."""

import pytest

from racro.contracts.errors import ShuttingDown
from racro.servekit.drain import Drain


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refuses(drain: Drain) -> bool:
    try:
        with drain:
            return False
    except ShuttingDown:
        return True


def test_one_that_was_not_begun_is_never_over(clock: Clock) -> None:
    drain = Drain(timeout_s=10, quiet_s=0, clock=clock)
    clock.now += 1000
    assert not drain.over
    assert not refuses(drain)


def test_it_is_over_after_its_quiet_time(clock: Clock) -> None:
    drain = Drain(timeout_s=10, quiet_s=2, clock=clock)
    drain.begin()
    clock.now += 1.9
    assert not drain.over
    clock.now += 0.1
    assert drain.over


def test_quiet_time_counts_from_the_end_of_the_last_request(clock: Clock) -> None:
    drain = Drain(timeout_s=10, quiet_s=2, clock=clock)
    drain.begin()
    clock.now += 1
    with drain:
        clock.now += 3
        assert not drain.over
    assert not drain.over
    clock.now += 1.9
    assert not drain.over
    clock.now += 0.1
    assert drain.over


def test_a_request_that_began_before_it_is_waited_for(clock: Clock) -> None:
    drain = Drain(timeout_s=10, quiet_s=2, clock=clock)
    with drain:
        drain.begin()
        clock.now += 9
        assert not drain.over
    assert not drain.over
    clock.now += 1
    assert drain.over


@pytest.mark.parametrize(("timeout_s", "serves_s"), [(10, 5), (60, 30), (600, 30), (0, 0)])
def test_who_goes_on_sending_cannot_keep_it(clock: Clock, timeout_s: int, serves_s: int) -> None:
    drain = Drain(timeout_s=timeout_s, quiet_s=2, clock=clock)
    drain.begin()
    for _ in range(serves_s):
        assert not refuses(drain)
        clock.now += 1
    assert refuses(drain)
    clock.now += 2
    # The refusals are no requests.
    assert refuses(drain)
    assert drain.over


def test_it_is_over_in_its_time_whatever_is_in_flight(clock: Clock) -> None:
    drain = Drain(timeout_s=10, quiet_s=100, clock=clock)
    drain.begin()
    with drain:
        clock.now += 9.9
        assert not drain.over
        clock.now += 0.1
        assert drain.over


def test_one_that_does_not_serve_on_needs_no_quiet_time(clock: Clock) -> None:
    drain = Drain(timeout_s=10, quiet_s=2, clock=clock)
    with drain:
        drain.begin(serves_on=False)
        assert refuses(drain)
        assert not drain.over
    assert drain.over

"""When a replica that says nothing may hang."""

import time

import pytest

from gateway.replica_state import ReplicaState, Silence


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    return clock


def test_it_is_doubtful_after_ten_seconds_without_a_byte(clock: Clock) -> None:
    state = ReplicaState()
    state.begin_wait()
    clock.now += 9
    assert not state.is_doubtful
    clock.now += 1
    assert state.is_doubtful
    state.note_byte()
    assert not state.is_doubtful
    clock.now += 10
    assert state.is_doubtful


def test_requests_that_give_up_one_by_one_do_not_hide_its_silence(clock: Clock) -> None:
    state = ReplicaState()
    for _ in range(4):
        state.begin_wait()
        clock.now += 4
        state.end_wait()
    assert not state.is_doubtful
    state.begin_wait()
    assert state.is_doubtful


async def test_where_it_has_answered_idle_time_is_no_silence() -> None:
    state, clock = ReplicaState(), Clock()
    with pytest.MonkeyPatch.context() as patched:
        silence = Silence(state)
        patched.setattr(time, "monotonic", clock.monotonic)
        with silence:
            silence.end()
        _come_back_later(state, clock)


def _come_back_later(state: ReplicaState, clock: Clock) -> None:
    clock.now += 600
    state.begin_wait()
    assert not state.is_doubtful

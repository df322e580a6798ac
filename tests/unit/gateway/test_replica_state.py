"""When a replica that says nothing may hang."""

from gateway.replica_state import ReplicaState, Silence


def let_pass(state: ReplicaState, seconds: float) -> None:
    """Have its silence, if there is one, begin so much earlier."""
    if state._silent_since is not None:
        state._silent_since -= seconds


def test_it_is_doubtful_after_ten_seconds_without_a_byte() -> None:
    state = ReplicaState()
    state.begin_wait()
    let_pass(state, 5)
    assert not state.is_doubtful
    let_pass(state, 5)
    assert state.is_doubtful
    state.note_byte()
    assert not state.is_doubtful
    let_pass(state, 10)
    assert state.is_doubtful


def test_requests_that_give_up_one_by_one_do_not_hide_its_silence() -> None:
    state = ReplicaState()
    for _ in range(4):
        state.begin_wait()
        let_pass(state, 4)
        state.end_wait()
    assert not state.is_doubtful
    state.begin_wait()
    assert state.is_doubtful


async def test_where_it_has_answered_idle_time_is_no_silence() -> None:
    state = ReplicaState()
    silence = Silence(state)
    with silence:
        silence.end()
    let_pass(state, 600)
    state.begin_wait()
    assert not state.is_doubtful

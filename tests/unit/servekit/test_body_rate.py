"""The rate of a request's body, one period after another."""

import asyncio

import pytest

from racro.servekit.request_bounds import LEAST_BODY_BYTES_PER_S, MOST_BODY_PERIODS, BodyRate

_TIMEOUT_S = 30
_LEAST = _TIMEOUT_S * LEAST_BODY_BYTES_PER_S


@pytest.mark.parametrize(
    ("bytes_a_period", "is_waited_for", "late_after"),
    [
        (_LEAST, True, MOST_BODY_PERIODS),
        (100 * _LEAST, True, MOST_BODY_PERIODS),
        (_LEAST - 1, True, 1),
        (0, True, 1),
        # Who does not read cannot complain.
        (0, False, None),
        (_LEAST, False, None),
    ],
)
async def test_a_body_is_late(bytes_a_period, is_waited_for, late_after) -> None:
    received, periods, late = 0, 0, []
    rate = BodyRate(
        asyncio.get_running_loop(),
        _TIMEOUT_S,
        received=lambda: received,
        is_waited_for=lambda: is_waited_for,
        on_late=lambda: late.append(periods),
    )
    while not late and periods <= MOST_BODY_PERIODS:
        received, periods = received + bytes_a_period, periods + 1
        rate.on_due()
    assert late == ([late_after] if late_after else [])
    if not late:
        rate.stop()

from itertools import islice

from racro.base.backoff import backoff


def test_pauses_grow_up_to_the_longest() -> None:
    assert [*islice(backoff(0.5, 3), 5)] == [0.5, 1, 2, 3, 3]
    assert [*islice(backoff(4, factor=1.5), 3)] == [4, 6, 9]


def test_jitter_is_around_each_pause_and_does_not_add_up() -> None:
    pauses = islice(backoff(1, 8, jitter=(0.5, 1.5)), 200)
    expected = [1, 2, 4, *[8] * 197]
    assert all(0.5 * one <= pause <= 1.5 * one for pause, one in zip(pauses, expected, strict=True))

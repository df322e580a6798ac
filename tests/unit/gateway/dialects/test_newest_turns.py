"""Which turns of a long conversation are left out, whatever it is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.conversation import ImageTurn
from gateway.dialects.newest_turns import leave_out_oldest
from gateway.images.loader import ImageSource
from gateway.settings import LimitsSection

# Of each turn its pictures; none for a follow-up.
CONVERSATIONS = st.lists(st.lists(st.integers(0, 40), max_size=3), min_size=1, max_size=40)


def turns_of(conversation: list[list[int]]) -> list[ImageTurn]:
    turns: list[ImageTurn] = []
    for index, pictures in enumerate(conversation):
        images = tuple(ImageSource(f"data:{number}", param=f"{index}") for number in pictures)
        if images:
            turns.append(ImageTurn(index, images, "What?"))
        elif turns:
            turns.append(ImageTurn(index, turns[-1].images, "And?", follow_up=True))
    return turns


def kept(turns: list[ImageTurn], limits: LimitsSection) -> list[ImageTurn]:
    return [turn for turn in leave_out_oldest(turns, limits) if not turn.left_out]


def distinct(turns: list[ImageTurn]) -> int:
    return len({image.content for turn in turns for image in turn.images})


@given(CONVERSATIONS, st.integers(1, 20), st.integers(3, 20))
def test_what_stays_is_within_the_limits_and_what_was_left_out_stays_out(
    conversation: list[list[int]], looks: int, images: int
) -> None:
    limits = LimitsSection(max_looks=looks, max_images=images)
    turns = turns_of(conversation)
    first_before = 0
    for count in range(1, len(turns) + 1):
        staying = kept(turns[:count], limits)
        assert staying[-1] == turns[count - 1]
        assert len(staying) <= looks
        assert distinct(staying) <= images
        first = turns.index(staying[0])
        assert first >= first_before
        first_before = first


def changes_of(turns: list[ImageTurn], limits: LimitsSection) -> int:
    """How often what stood before a turn becomes something else with that turn."""
    told: list[ImageTurn] = []
    changes = 0
    for count in range(1, len(turns) + 1):
        before, told = told, leave_out_oldest(turns[:count], limits)
        changes += told[: len(before)] != before
    return changes


@given(CONVERSATIONS, st.integers(2, 20))
def test_what_stood_before_changes_only_where_half_the_limit_is_new(
    conversation: list[list[int]], images: int
) -> None:
    turns = turns_of(conversation)
    shown = sum(len(turn.images) for turn in turns if not turn.follow_up)
    limits = LimitsSection(max_looks=100, max_images=images)
    assert changes_of(turns, limits) <= 1 + shown / (images // 2)


@pytest.mark.parametrize("old_ones", [1, 15, 21, 30])
def test_pictures_that_are_sent_again_change_no_more_than_new_ones(old_ones: int) -> None:
    turns = turns_of([[number] for number in range(21)])
    turns += turns_of([[number % old_ones] for number in range(60)])
    assert changes_of(turns, LimitsSection(max_looks=1000, max_images=20)) <= 1 + 60 / 10


def test_a_picture_beside_each_new_one_leaves_out_no_more() -> None:
    limits = LimitsSection(max_looks=100, max_images=20)
    turns = turns_of([[100, number] for number in range(40)])
    # Nineteen have room beside it.
    assert changes_of(turns[:19], limits) == 0
    assert changes_of(turns, limits) == 3


@given(CONVERSATIONS)
def test_nothing_is_left_out_where_nothing_is_too_many(conversation: list[list[int]]) -> None:
    turns = turns_of(conversation)
    # Of one message copies count, as each is decoded.
    most = max([1, distinct(turns), *(len(turn.images) for turn in turns)])
    limits = LimitsSection(max_looks=max(1, len(turns)), max_images=most)
    assert leave_out_oldest(turns, limits) == turns


def test_turns_are_left_out_half_the_limit_at_a_time() -> None:
    limits = LimitsSection(max_looks=8)
    turns = turns_of([[number % 3] for number in range(40)])
    left_out = [count - len(kept(turns[:count], limits)) for count in range(1, 21)]
    assert left_out == [0] * 8 + [4] * 4 + [8] * 4 + [12] * 4


def test_turns_that_show_images_are_marked_and_follow_ups_are_gone() -> None:
    turns = turns_of([[1], [], [2], [], [3]])
    after = leave_out_oldest(turns, LimitsSection(max_looks=2))
    assert [(turn.index, turn.left_out) for turn in after] == [(0, True), (2, True), (4, False)]


def test_the_same_picture_again_is_no_further_one() -> None:
    turns = turns_of([[1, 2]] * 10)
    assert leave_out_oldest(turns, LimitsSection(max_images=2)) == turns


@given(st.integers(1, 60), st.integers(1, 20))
def test_of_a_message_with_too_many_pictures_the_first_are_dropped(count: int, most: int) -> None:
    turns = turns_of([list(range(count)), [], [100], []])
    limits = LimitsSection(max_looks=100, max_images=most)
    first, asking_again, *_ = leave_out_oldest(turns[:2], limits)
    assert 1 <= len(first.images) <= most
    assert first.images == turns[0].images[first.dropped :]
    assert asking_again.images is first.images
    if count <= most:
        assert first.dropped == 0
    # What follows changes nothing of it, but that it may be left out altogether.
    later = leave_out_oldest(turns, limits)
    assert [turn.dropped for turn in later if turn.index == 0] == [first.dropped]

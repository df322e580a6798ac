"""Which turns of a long conversation have their images captioned: the newest."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from gateway.dialects.conversation import ImageTurn
from gateway.settings import LimitsSection


def leave_out_oldest(turns: Sequence[ImageTurn], limits: LimitsSection) -> list[ImageTurn]:
    """Return the turns with the oldest left out, where there are too many or they have too many
    images.

    A turn with images is marked as left out, for something has to stand in their place; a
    follow-up is not there any more. Turns are left out by their position alone and in steps of
    half the limit: as a conversation grows its beginning stays the same for many turns, and with
    it what the reasoner has in its prefix cache. The last turn always stays.
    """
    first = _left_out([1] * len(turns), limits.max_looks)
    beyond = _left_out(_images_of(turns[first:]), limits.max_images)
    if beyond:
        first += beyond
        # A follow-up that stayed would have the images of a turn that did not.
        while first < len(turns) - 1 and turns[first].images is turns[first - 1].images:
            first += 1
    shown = [replace(turn, left_out=True) for turn in turns[:first] if not turn.follow_up]
    return [*shown, *turns[first:]]


def _images_of(turns: Sequence[ImageTurn]) -> list[int]:
    """Return how many images each turn brings: a follow-up has those of the turn before it."""
    brought = [
        0 if turn.images is before.images else len(turn.images) for before, turn in pairwise(turns)
    ]
    return [*(len(turn.images) for turn in turns[:1]), *brought]


def _left_out(sizes: Sequence[int], most: int) -> int:
    """Return how many of the oldest are left out, so that the sizes of the rest are `most`."""
    over = sum(sizes) - most
    step = max(1, most // 2)
    remaining = -(-over // step) * step
    count = 0
    while remaining > 0 and count < len(sizes) - 1:
        remaining -= sizes[count]
        count += 1
    return count

"""Which images of a long conversation are captioned: the newest."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gateway.dialects.conversation import ImageTurn
from gateway.images.loader import ImageSource
from gateway.settings import LimitsSection


def leave_out_oldest(turns: Sequence[ImageTurn], limits: LimitsSection) -> list[ImageTurn]:
    """Return the turns without the oldest, where there are too many or they have too many images.

    Of a message that has too many by itself, its first ones are dropped, in the same steps.

    A turn that shows images is marked as left out, for something has to stand in their place; a
    follow-up is not there any more. As a conversation grows no turn comes back, and turns are left
    out in steps of half the limit: its beginning stays the same for many turns, and with it what
    the reasoner has in its prefix cache. The last turn always stays.
    """
    turns = list(_without_first_images(turns, limits.max_images))
    first = max(
        _count_oldest([1] * len(turns), limits.max_looks),
        _count_oldest(_new_images(turns), limits.max_images),
    )
    # A follow-up has the images of a turn that is left out.
    while 0 < first < len(turns) - 1 and turns[first].images is turns[first - 1].images:
        first += 1
    shown = [replace(turn, left_out=True) for turn in turns[:first] if not turn.follow_up]
    return [*shown, *turns[first:]]


def _without_first_images(turns: Sequence[ImageTurn], most: int) -> Iterator[ImageTurn]:
    """Yield the turns, each with at most so many images, copies included, as captioners count."""
    kept: tuple[ImageSource, ...] = ()
    for turn in turns:
        if turn.follow_up:
            yield replace(turn, images=kept)
            continue
        dropped = _count_oldest([1] * len(turn.images), most)
        kept = turn.images[dropped:]
        yield replace(turn, images=kept, dropped=dropped)


def _new_images(turns: Sequence[ImageTurn]) -> list[int]:
    """Return of each turn how many of its images no later turn has.

    So the sum over the newest turns is the number of their distinct images, and that over the
    oldest never grows: agents send the same picture again and again.
    """
    seen: set[str | bytes] = set()
    counts = []
    for turn in reversed(turns):
        before = len(seen)
        seen.update(image.content for image in turn.images)
        counts.append(len(seen) - before)
    return counts[::-1]


def _count_oldest(sizes: Sequence[int], most: int) -> int:
    """Return how many of the oldest to leave out, so that the sizes of the rest are at most `most`.

    Beyond `most`, that rest is brought down in steps of half of it.
    """
    step = max(1, most // 2)
    remaining = -((most - sum(sizes)) // step) * step
    count = 0
    while remaining > 0 and count < len(sizes) - 1:
        remaining -= sizes[count]
        count += 1
    return count

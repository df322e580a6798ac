"""Which images of a long conversation are captioned: the newest."""

from collections import Counter
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
    first = _first_of_newest(turns, limits)
    shown = [replace(turn, left_out=True) for turn in turns[:first] if not turn.follow_up]
    return [*shown, *turns[first:]]


def _without_first_images(turns: Sequence[ImageTurn], most: int) -> Iterator[ImageTurn]:
    """Yield the turns, each with at most so many images, copies included, as captioners count."""
    step = _step(most)
    kept: tuple[ImageSource, ...] = ()
    for turn in turns:
        if turn.follow_up:
            yield replace(turn, images=kept)
            continue
        too_many = max(0, len(turn.images) - most)
        dropped = min(-(-too_many // step) * step, len(turn.images) - 1)
        kept = turn.images[dropped:]
        yield replace(turn, images=kept, dropped=dropped)


def _first_of_newest(turns: Sequence[ImageTurn], limits: LimitsSection) -> int:
    """Return the index of the first turn that is not left out.

    The conversation is gone through as it grew, so that what was left out after a turn depends on
    the turns up to it. Only where there are too many is anything left out, and then so many that
    half the limit has room. Images are counted among the turns that are left, copies once, for
    agents send the same picture again and again.
    """
    first = 0
    images: Counter[str | bytes] = Counter()
    for last, turn in enumerate(turns):
        images.update({image.content for image in turn.images})
        if last - first < limits.max_looks and len(images) <= limits.max_images:
            continue
        most_turns = limits.max_looks + 1 - _step(limits.max_looks)
        most_images = limits.max_images + 1 - _step(limits.max_images)
        while first < last and (
            last - first >= most_turns
            or len(images) > most_images
            # Its images have just been left out.
            or turns[first].follow_up
        ):
            images -= Counter({image.content for image in turns[first].images})
            first += 1
    return first


def _step(most: int) -> int:
    return max(1, most // 2)

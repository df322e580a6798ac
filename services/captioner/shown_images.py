"""Says what is shown of a request's images, in order: pictures, and the first pages of PDFs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from services.captioner.image_work import EncodedImage, count_pages
from services.captioner.workers import Admission


class ShownImage(NamedTuple):
    """A picture or a page, and the lines of text that stand before it and after it."""

    image: EncodedImage
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


async def shown_images(
    images: Sequence[EncodedImage], max_pages: int, admission: Admission
) -> list[ShownImage]:
    """Return what is shown of the images, of each PDF `max_pages` at most.

    More than one image are numbered, and so are the pages of every PDF, if it has only one. Raises
    what `Admission.run` does.
    """
    shown: list[ShownImage] = []
    for number, image in enumerate(images, start=1):
        heading = (f"Image {number}:",) if len(images) > 1 else ()
        if not image.is_pdf:
            shown.append(ShownImage(image, before=heading))
            continue
        count = await admission.run(count_pages, image, param=image.param)
        of = f" of image {number}" if len(images) > 1 else ""
        shown += _pages(image, count, max_pages, heading=heading, of=of)
    return shown


def page_count(shown: Sequence[ShownImage]) -> int:
    """Return how many of them are pages of PDFs."""
    return sum(one.image.page is not None for one in shown)


def lines_after(shown: Sequence[ShownImage]) -> list[str]:
    """Return the lines that tell which pages are not shown."""
    return [line for one in shown for line in one.after]


def _pages(
    image: EncodedImage, count: int, max_pages: int, *, heading: tuple[str, ...], of: str
) -> Iterator[ShownImage]:
    last = min(count, max_pages)
    for page in range(1, last + 1):
        yield ShownImage(
            replace(image, page=page),
            before=(*(heading if page == 1 else ()), f"Page {page}:"),
            after=(_not_shown(last + 1, count, of),) if page == last < count else (),
        )


def _not_shown(first: int, last: int, of: str) -> str:
    if first == last:
        return f"(Page {first}{of} is not shown.)"
    return f"(Pages {first} to {last}{of} are not shown.)"

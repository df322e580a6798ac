"""Says what is shown of a request's images, in order: pictures, and the first pages of PDFs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from racro.contracts.image_limits import ImageLimits
from services.captioner.image_work import EncodedImage, pages_of
from services.captioner.workers import Admission

if TYPE_CHECKING:
    from services.captioner.pdf_pages import Pages


class ShownImage(NamedTuple):
    """A picture or a page, and the lines of text that stand before it and after it."""

    image: EncodedImage
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


async def shown_images(
    images: Sequence[EncodedImage], max_pages: int, limits: ImageLimits, admission: Admission
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
        pages = await admission.run(pages_of, image, max_pages, limits, param=image.param)
        of = f" of image {number}" if len(images) > 1 else ""
        shown += _pages(image, pages, max_pages, heading=heading, of=of)
    return shown


def page_count(shown: Sequence[ShownImage]) -> int:
    """Return how many of them are pages of PDFs."""
    return sum(one.image.page is not None for one in shown)


def lines_after(shown: Sequence[ShownImage]) -> list[str]:
    """Return the lines that tell which pages are not shown."""
    return [line for one in shown for line in one.after]


def _pages(
    image: EncodedImage, pages: "Pages", max_pages: int, *, heading: tuple[str, ...], of: str
) -> Iterator[ShownImage]:
    """Give the pages that are shown, each with the lines that tell which ones behind it are not."""
    last = min(pages.total, max_pages)
    for index, page in enumerate(pages.shown):
        is_first, is_last = index == 0, page == pages.shown[-1]
        end = last + 1 if is_last else pages.shown[index + 1]
        # Those that cannot be read before the first one that can are told behind that, too.
        gaps = (*(range(1, page) if is_first else ()), *range(page + 1, end))
        after = [f"(Page {gap}{of} cannot be read.)" for gap in gaps]
        if is_last and last < pages.total:
            after.append(_not_shown(last + 1, pages.total, of))
        yield ShownImage(
            replace(image, page=page),
            before=(*(heading if is_first else ()), f"Page {page}:"),
            after=tuple(after),
        )


def _not_shown(first: int, last: int, of: str) -> str:
    if first == last:
        return f"(Page {first}{of} is not shown.)"
    return f"(Pages {first} to {last}{of} are not shown.)"

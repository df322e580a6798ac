"""Requests to perceive images, and the perceptions that come of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gateway.images.loader import Image, field_of_all
from gateway.tenancy.tenants import Tenant
from racro.contracts.perception import CaptionProfile, Part, Usage, normalise_question
from racro.contracts.solve_api import CacheMode, VisualContext
from racro.servekit.image_types import PDF

# How the captioner's errors name an image of its request.
_CAPTIONER_IMAGE = re.compile(r"images(?:\[([0-9]{1,4})\])?")


@dataclass(frozen=True, kw_only=True)
class PerceptionRequest:
    """Images to perceive for a question, or for a general caption where `question` is None.

    One tenant's captions are never given to another: the tenant's tag is in cache keys.
    """

    tenant: Tenant
    images: Sequence[Image]
    question: str | None
    tentative: bool = False
    cache: CacheMode = "use"
    caption_profile: CaptionProfile = "description"

    @cached_property
    def normalised_question(self) -> str | None:
        """The question as the captioner gets it; None for an empty one."""
        return normalise_question(self.question or "") or None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that are wanted: a tentative response needs a question."""
        wants_tentative = self.tentative and self.normalised_question is not None
        return ("caption", "tentative") if wants_tentative else ("caption",)

    @property
    def image_digests(self) -> tuple[str, ...]:
        return tuple(image.digest for image in self.images)

    @property
    def distinct_images(self) -> int:
        """How many images the tenant's limit counts: copies are one."""
        return len({*self.image_digests})

    @cached_property
    def distinct_pdfs(self) -> int:
        """How many of them are PDFs, whose pages the tenant's limit counts."""
        return len({image.digest for image in self._pdfs})

    def most_counted(self, max_pages: int) -> int:
        """Return the most that the tenant's limit counts, where each PDF has all those pages."""
        return self.distinct_images + self.distinct_pdfs * (max_pages - 1)

    def further_counted(self, pages: int, max_pages: int) -> int:
        """Return how many more than `distinct_images` it counts, once `pages` of PDFs were shown.

        The captioner counts the pages of copies too, and may be another's and say anything.
        """
        if not self._pdfs:
            return 0
        shown = round(pages * self.distinct_pdfs / len(self._pdfs))
        return max(0, min(shown, self.distinct_pdfs * max_pages) - self.distinct_pdfs)

    @property
    def _pdfs(self) -> list[Image]:
        return [image for image in self.images if image.media_type == PDF]

    def image_index(self, param: str | None) -> int | None:
        """Return which image the captioner names in an error, from 0 on; None for no single one."""
        found = _CAPTIONER_IMAGE.fullmatch(param or "")
        if found is None or found[1] is None or int(found[1]) >= len(self.images):
            return None
        return int(found[1])

    def client_field(self, param: str | None) -> str | None:
        """Return the client's field for an image that the captioner names in an error.

        None where `param` names no image.
        """
        if (index := self.image_index(param)) is not None:
            return self.images[index].param
        is_of_images = _CAPTIONER_IMAGE.fullmatch(param or "") is not None
        return field_of_all(self.images[0].param) if is_of_images else None


@dataclass(frozen=True)
class Perception:
    """A visual context, the tokens that this request spent on it, and the images it is of."""

    context: VisualContext
    usage: Usage
    image_digests: tuple[str, ...] = ()

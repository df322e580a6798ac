"""The options that a captioner is called with, which are in the keys of what it answers."""

from dataclasses import dataclass

from gateway.perception.request import PerceptionRequest
from racro.contracts.perception import Identity, PerceiveOptions


@dataclass(frozen=True)
class CallOptions:
    """Holds the gateway's own limits of a call of the captioner.

    `max_tokens` limits each part (None: the captioner does), and `max_pages` the pages of each PDF.
    """

    max_tokens: int | None
    max_pages: int

    def of(self, request: PerceptionRequest, identity: Identity) -> PerceiveOptions:
        """Return the options for a request, of those that the captioner accepts.

        Without a PDF they are those of versions that knew none: so are the keys.
        """
        max_pages = self.max_pages if request.distinct_pdfs else None
        options = PerceiveOptions(
            max_tokens=self.max_tokens,
            max_pages=max_pages,
            caption_profile=request.caption_profile,
        )
        return options.accepted_by(identity)

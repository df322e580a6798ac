"""The images that requests hold while an engine is asked about them, bounded in their bytes."""

from collections.abc import Iterator
from contextlib import contextmanager

from racro.contracts.errors import QueueFull, TooLarge
from services.captioner.image_work import Png


class SentImages:
    """Counts the bytes of the images of all requests, as they are sent to an engine."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0

    @contextmanager
    def hold(self) -> Iterator["HeldImages"]:
        """Give a request's images, none yet, which count until the block ends."""
        held = HeldImages(self)
        try:
            yield held
        finally:
            self._bytes -= held.bytes

    def count(self, size: int, held_bytes: int) -> None:
        """Count an image of a request that holds so much already. Raises TooLarge and QueueFull."""
        limit = f"captioner.max_sent_bytes = {self._most_bytes}"
        if held_bytes + size > self._most_bytes:
            said = f"the images have more bytes as PNG in base64 than {limit}"
            raise TooLarge(said, param="images")
        if self._bytes + size > self._most_bytes:
            said = f"the images of the requests in flight leave no room for these ({limit})"
            raise QueueFull(f"{said}; ask again later")
        self._bytes += size


class HeldImages:
    """The images of one request, in order, and their bytes together."""

    def __init__(self, counted_by: SentImages) -> None:
        self.images: list[Png] = []
        self.bytes = 0
        self._counted_by = counted_by

    def add(self, image: Png) -> None:
        """Hold one more. Raises TooLarge and QueueFull."""
        size = len(image.url)
        self._counted_by.count(size, self.bytes)
        self.bytes += size
        self.images.append(image)

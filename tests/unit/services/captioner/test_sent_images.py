"""The images that requests hold while an engine is asked about them."""

import pytest

from racro.contracts.errors import QueueFull, TooLarge
from services.captioner.image_work import Png
from services.captioner.sent_images import SentImages

FOUR = Png("data", "digest")


def test_the_images_of_all_requests_are_bounded() -> None:
    sent = SentImages(most_bytes=12)
    with sent.hold() as one, sent.hold() as other:
        one.add(FOUR)
        one.add(FOUR)
        other.add(FOUR)
        with pytest.raises(QueueFull, match=r"captioner\.max_sent_bytes = 12"):
            other.add(FOUR)
        assert other.images == [FOUR]
    with sent.hold() as later:
        for _ in range(3):
            later.add(FOUR)


def test_a_request_that_never_fits_is_too_large() -> None:
    sent = SentImages(most_bytes=7)
    with sent.hold() as one:
        one.add(FOUR)
        with pytest.raises(TooLarge, match=r"captioner\.max_sent_bytes = 7") as refused:
            one.add(FOUR)
    assert refused.value.param == "images"
    with sent.hold() as later:
        later.add(FOUR)

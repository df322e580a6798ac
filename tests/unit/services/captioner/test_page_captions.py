"""The words of a page of a PDF: as many are read as its caption tells."""

import pytest

from services.captioner.image_work import Caption, EncodedImage, read_caption
from services.captioner.settings import CaptionerSettings, OcrSettings
from support.pdfs import document, line_of_text, stream

LINE = "This is one of the many lines on a page that is full of letters from top to bottom."


@pytest.fixture(scope="module")
def page() -> EncodedImage:
    lines = (
        line_of_text(f"{number} {LINE}", at=(50, 800 - 60 * number), height=11)
        for number in range(12)
    )
    data = document([stream(b"".join(lines))])
    return EncodedImage(data, param="images[0]", is_pdf=True, page=1)


def read(page: EncodedImage, max_chars: int) -> Caption:
    return read_caption(page, CaptionerSettings().image_limits, OcrSettings(), max_chars)


def test_a_page_with_a_small_share_is_not_read_to_its_end(page: EncodedImage) -> None:
    text, is_cut = read(page, 512)
    assert is_cut
    assert "many lines" in text
    assert "Only the upper part of the text was read" in text


def test_a_page_by_itself_is_read_as_a_picture_is(page: EncodedImage) -> None:
    text, is_cut = read(page, 4096)
    assert not is_cut
    assert text.count("many lines") == 12

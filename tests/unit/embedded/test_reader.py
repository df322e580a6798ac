"""Text is looked for in a small picture, again where it is small, and read in bounded pieces."""

import sys
from collections.abc import Iterator
from types import FrameType

import pytest
import rapidocr
from PIL import Image, ImageDraw, ImageFont

from racro.embedded.reader import OcrReader

Shape = tuple[int, ...]


@pytest.fixture(scope="module")
def reader() -> OcrReader:
    return OcrReader(threads=1)


@pytest.fixture
def looked_through() -> Iterator[list[Shape]]:
    """Height, width and channels of each image in which rapidocr looks for text."""
    shapes: list[Shape] = []

    def count(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is rapidocr.RapidOCR.__call__.__code__:
            shapes.append(frame.f_locals["img_content"].shape)

    sys.setprofile(count)
    yield shapes
    sys.setprofile(None)


def written(text: str, height: int, size: tuple[int, int]) -> Image.Image:
    """The text in letters of this height, in the middle of a white picture."""
    picture = Image.new("RGB", size, "white")
    font = ImageFont.load_default(height)
    ImageDraw.Draw(picture).text((size[0] // 2, size[1] // 2), text, "black", font, anchor="mm")
    return picture


def texts(reader: OcrReader, picture: Image.Image) -> list[str]:
    return [word.text for word in reader.read(picture)[0]]


def test_a_small_picture_is_not_enlarged_to_look_for_text(reader, looked_through) -> None:
    assert texts(reader, Image.new("RGB", (64, 64), "white")) == []
    assert looked_through == [(64, 64, 3)]


def test_large_letters_are_looked_for_once(reader, looked_through) -> None:
    assert texts(reader, written("TOTAL 4812", 60, (1600, 1200))) == ["TOTAL 4812"]
    assert looked_through == [(704, 960, 3)]


def test_small_letters_in_a_large_picture_are_read(reader, looked_through) -> None:
    lines = [f"Invoice {number} paid in March" for number in range(301, 313)]
    read = texts(reader, written("\n".join(lines), 18, (1900, 1400)))
    assert [line for line in lines if line not in read] == []
    assert len(looked_through) == 2


def test_no_more_is_looked_through_of_a_giant(reader, looked_through) -> None:
    assert texts(reader, Image.new("RGB", (5000, 5000), "white")) == []
    assert max(height * width for height, width, _ in looked_through) < 1_700_000


def test_a_long_line_is_read_to_its_end(reader) -> None:
    names = [f"lamp{number}" for number in range(301, 325)]
    pieces = texts(reader, written(", ".join(names), 16, (1990, 40)))
    assert len(pieces) > 1
    read = "".join(pieces).replace(" ", "")
    assert names[0] in read
    assert names[-1] in read
    assert sum(name in read for name in names) > 0.9 * len(names)


def test_text_that_stands_on_its_head_is_read(reader) -> None:
    picture = written("TOTAL 4812", 40, (600, 200)).transpose(Image.Transpose.ROTATE_180)
    assert texts(reader, picture) == ["TOTAL 4812"]


def test_a_picture_is_read_alike_each_time(reader) -> None:
    picture = written("TOTAL 4812\nNET 4010", 18, (900, 300))
    assert reader.read(picture)[0] == reader.read(picture)[0]

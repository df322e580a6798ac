"""Pictures that OCR cannot read well: the caption says so, and nothing breaks.

Slow, and in an environment of its own (with fonts): make test-embedded
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

import pytest
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from support import http
from support.pictures import data_url, encoded
from support.processes import Service

NO_TEXT = "No readable text was found in the image."
UNRELIABLE = "Some of the text could not be read reliably."
TURNED = "The picture seems to be turned by 90 degrees."
SALES = {"North": 42, "South": 58, "East": 35, "West": 71}
PAIRS = [f"{label}: {value}" for label, value in SALES.items()]


def font(size: float, name: str = "DejaVu Sans") -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont(name), size)


def bar_chart(width: int = 800, *, ink: str = "black", paper: str = "white") -> Image.Image:
    picture = Image.new("RGB", (width, width * 3 // 4), paper)
    pen = ImageDraw.Draw(picture)
    scale = width / 800
    pen.text((400 * scale, 50 * scale), "Units sold", ink, font(36 * scale), anchor="mm")
    for x, (label, value) in zip((130, 310, 490, 670), SALES.items(), strict=True):
        top = 520 - 5 * value
        pen.rectangle([one * scale for one in (x - 50, top, x + 50, 520)], "#3377bb")
        pen.text((x * scale, (top - 25) * scale), str(value), ink, font(28 * scale), anchor="mm")
        pen.text((x * scale, 555 * scale), label, ink, font(28 * scale), anchor="mm")
    return picture


def page(text: str, written: ImageFont.FreeTypeFont) -> Image.Image:
    picture = Image.new("RGB", (900, 500), "white")
    ImageDraw.Draw(picture).multiline_text((40, 40), text, "black", written, spacing=20)
    return picture


def photo() -> Image.Image:
    """Of nothing in particular: clouds of colour and noise."""
    rng = random.Random(3)
    small = Image.new("RGB", (24, 18))
    small.putdata([tuple(rng.randrange(256) for _ in range(3)) for _ in range(24 * 18)])
    return small.resize((1200, 900), Image.Resampling.BICUBIC)


def handwriting() -> Image.Image:
    name = files("font_amatic_sc").joinpath("files/AmaticSC-Regular.ttf")
    return page("Milk 2 bottles\nBread 1 loaf\nCall the school", ImageFont.truetype(str(name), 64))


@dataclass(frozen=True)
class Hard:
    """`says`: one of these texts at least must stand in the caption."""

    picture: Callable[[], Image.Image]
    says: tuple[str, ...]


PICTURES = {
    "blurred": Hard(lambda: bar_chart().filter(ImageFilter.GaussianBlur(7)), (NO_TEXT, UNRELIABLE)),
    "turned-by-90-degrees": Hard(
        lambda: bar_chart().transpose(Image.Transpose.ROTATE_90), (TURNED,)
    ),
    "of-40-pixels": Hard(
        lambda: bar_chart().resize((40, 30), Image.Resampling.LANCZOS), (NO_TEXT, UNRELIABLE)
    ),
    "of-8000-pixels": Hard(lambda: bar_chart(8000), ("Highest: West (71). Lowest: East (35).",)),
    "dark": Hard(
        lambda: bar_chart(ink="white", paper="#101820"), ("Highest: West (71). Lowest: East (35).",)
    ),
    "handwriting": Hard(handwriting, ("MILK 2 BOTTLES", UNRELIABLE)),
    "greek": Hard(lambda: page("Ελληνικά 1821\nΑθήνα", font(56)), ("1821", UNRELIABLE)),
    "arabic": Hard(lambda: page("السلام عليكم", font(56)), (NO_TEXT, UNRELIABLE)),
    "photo": Hard(photo, (NO_TEXT,)),
    "black": Hard(lambda: Image.new("RGB", (800, 600)), (NO_TEXT,)),
}


@pytest.mark.parametrize("hard", PICTURES.values(), ids=PICTURES)
def test_the_caption_says_what_can_be_said(ocr_captioner: Service, hard: Hard) -> None:
    body = {"question": "What does it show?", "images": [data_url(encoded(hard.picture()))]}
    answer = http.post(f"{ocr_captioner.url}/v1/perceive", json=body)
    assert answer.status_code == 200, answer.text
    caption = answer.json()["caption"][0]["text"]
    assert any(said in caption for said in hard.says), caption


@pytest.mark.parametrize("name", ["of-8000-pixels", "dark"])
def test_what_can_be_read_is_linked(ocr_captioner: Service, name: str) -> None:
    body = {"question": None, "images": [data_url(encoded(PICTURES[name].picture()))]}
    answer = http.post(f"{ocr_captioner.url}/v1/perceive", json=body)
    lines = answer.json()["caption"][0]["text"].splitlines()
    assert [pair for pair in PAIRS if pair not in lines] == []


def test_a_value_that_is_not_printed_is_not_guessed(ocr_captioner: Service) -> None:
    chart = bar_chart()
    pen = ImageDraw.Draw(chart)
    for x, value in zip((130, 310, 490, 670), SALES.values(), strict=True):
        top = 520 - 5 * value
        pen.rectangle((x - 50, top - 45, x + 50, top - 5), "white")
    body = {"question": None, "images": [data_url(encoded(chart))]}
    answer = http.post(f"{ocr_captioner.url}/v1/perceive", json=body)
    caption = answer.json()["caption"][0]["text"]
    assert "Labels: North, South, East, " in caption
    assert "The values are not printed." in caption


def test_of_too_much_text_the_upper_part_is_read(ocr_captioner: Service) -> None:
    picture = Image.new("RGB", (1200, 1200), "white")
    for top in range(2, 1190, 18):
        for left in range(2, 1180, 34):
            ImageDraw.Draw(picture).text((left, top), "4812", "black", ImageFont.load_default(11))
    ImageDraw.Draw(picture).rectangle((0, 0, 1200, 60), "white")
    ImageDraw.Draw(picture).text((20, 10), "Total 71", "black", ImageFont.load_default(30))
    body = {"question": None, "images": [data_url(encoded(picture))]}
    answer = http.post(f"{ocr_captioner.url}/v1/perceive", json=body)
    lines = answer.json()["caption"][0]["text"].splitlines()
    assert lines[0] == "Title: Total 71"
    assert re.fullmatch(
        r"Only the upper part of the text was read; \d+ pieces of it were not\.", lines[-1]
    )
    assert answer.json()["caption"][0]["finish_reason"] == "length"

"""The example pictures, read and linked: each answer that is printed stands beside its label."""

from pathlib import Path

import pytest

from services.captioner.image_work import EncodedImage, read_caption
from services.captioner.settings import CaptionerSettings, OcrSettings

EXAMPLES = Path(__file__).parents[3] / "examples"
LIMITS = CaptionerSettings().image_limits


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bar-chart.png", ["Bar chart. Title: Units sold per month.", "April: 71"]),
        ("pie-chart.png", ["Pie chart. Title: Household budget.", "Food: 25%"]),
        ("table.png", ["Table. Title: League table.", "Tigers: Wins 7, Points 23"]),
        ("timetable.png", ["09:40: Destination Oxford, Platform 5"]),
        (
            "right-triangle.png",
            ["Geometric figure. Triangle with vertices A, B, C.", "AB = 3", "BC = 4"],
        ),
    ],
)
def test_an_example(name, expected) -> None:
    image = EncodedImage((EXAMPLES / name).read_bytes(), param="images[0]")
    caption = read_caption(image, LIMITS, OcrSettings(), 4000)
    assert set(expected) <= set(caption.text.split("\n"))

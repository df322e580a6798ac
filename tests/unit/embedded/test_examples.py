"""The example pictures, read and linked: each answer that is printed stands beside its label."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from racro.embedded.ocr import OcrCaptioner

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def caption() -> Iterator[Callable[[str], list[str]]]:
    captioner = OcrCaptioner(workers=1, threads=1, max_tokens=1000)

    def lines(name: str) -> list[str]:
        image = Image.open(EXAMPLES / name).convert("RGB")
        return captioner._caption(image, 4000)[0].split("\n")

    yield lines
    captioner._pool.shutdown()


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
def test_an_example(caption, name, expected) -> None:
    assert set(expected) <= set(caption(name))

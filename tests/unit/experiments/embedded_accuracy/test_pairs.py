"""Which label-value pairs count as told by a caption."""

import pytest

from experiments.embedded_accuracy.items import Pair
from experiments.embedded_accuracy.pairs import pair_is_told

CHART = "Bar chart. Title: Sales.\n2 bars with these values:\nNorth East: $1,240\nSouth: 35%"
TABLE = "Table.\nColumns: Team, Wins, Points.\nFalcons: Wins 9, Points 2,700\nOwls: Points 14"
ROWS = "Text in the image, row by row:\nTeam | Wins | Points\nFalcons | 9 | 27\nTOTAL | 13.95"


@pytest.mark.parametrize(
    ("caption", "pair"),
    [
        (CHART, Pair(("North East",), "$1,240")),
        (CHART, Pair(("northeast",), "$1,240")),
        (CHART, Pair(("South",), "35%")),
        (TABLE, Pair(("Falcons", "Wins"), "9")),
        (TABLE, Pair(("Falcons", "Points"), "2,700")),
        (TABLE, Pair(("Wins", "Falcons"), "9")),
        (ROWS, Pair(("Falcons", "Points"), "27")),
        (ROWS, Pair(("TOTAL",), "13.95")),
    ],
)
def test_told(caption: str, pair: Pair) -> None:
    assert pair_is_told(pair, caption)


@pytest.mark.parametrize(
    ("caption", "pair"),
    [
        (CHART, Pair(("North",), "$1,240")),
        (CHART, Pair(("South",), "3")),
        (CHART, Pair(("South",), "$1,240")),
        (TABLE, Pair(("Falcons", "Points"), "9")),
        (TABLE, Pair(("Owls", "Wins"), "14")),
        (ROWS, Pair(("Falcons", "Wins"), "27")),
        ("71 | 42\nApril | March", Pair(("April",), "71")),
    ],
)
def test_not_told(caption: str, pair: Pair) -> None:
    assert not pair_is_told(pair, caption)

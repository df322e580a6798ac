"""Named numbers that a picture shows."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

NAMES = (
    "bass",
    "beef",
    "bear",
    "beet",
    "bird",
    "cake",
    "clay",
    "coal",
    "cod",
    "corn",
    "crab",
    "crow",
    "deer",
    "dill",
    "duck",
    "egg",
    "fig",
    "fish",
    "frog",
    "gold",
    "goat",
    "ham",
    "hawk",
    "hay",
    "hen",
    "ice",
    "iron",
    "jam",
    "kale",
    "kiwi",
    "lamb",
    "leek",
    "lime",
    "lion",
    "milk",
    "mint",
    "nut",
    "oak",
    "oil",
    "pea",
    "pear",
    "pine",
    "plum",
    "rice",
    "rye",
    "sage",
    "salt",
    "sand",
    "silk",
    "swan",
    "tea",
    "tuna",
    "wolf",
    "wool",
    "zinc",
)


@dataclass(frozen=True)
class Facts:
    """`numbers` by name, in the order they stand in; `heading` says what the picture is."""

    heading: str
    numbers: Mapping[str, int]
    unit: str = ""

    def told(self, name: str) -> str:
        return f"{name}: {self.numbers[name]}{self.unit}"


def names(rng: random.Random, count: int) -> list[str]:
    chosen = rng.sample(NAMES, count)
    style = rng.random()
    return [name.capitalize() for name in chosen] if style < 0.3 else chosen


def different(rng: random.Random, count: int, low: int, high: int, *, step: int = 1) -> list[int]:
    """So that every question for the highest, or for which of two is higher, has one answer."""
    return [step * value for value in rng.sample(range(low, high + 1), count)]

"""Words with boxes, the rows they stand in, and the numbers that they are."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

# Two words stand in one row when their vertical extents overlap by this share of the lower one.
_SAME_ROW_OVERLAP = 0.5
_TALL = 1.5
_NUMBER = re.compile(
    r"\(?(?P<sign>[-+−–]?)\s?[$€£¥₹]?\s?(?P<minus>[-−–]?)"
    r"(?P<digits>(?P<grouped>[1-9]\d{0,2}(?:[,' ]\d{3})+)(?:\.\d+)?|\d+(?:[.,]\d+)?|[.,]\d+)"
    r"(?P<space>\s?)(?P<unit>%|[$€£¥₹°]|[^\W\d]{1,2}[²³]?|(?<=\s)[^\W\d]{1,6})?\)?"
)
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)", re.IGNORECASE)
_THOUSANDS = {"k": 1e3, "m": 1e6, "bn": 1e9, "b": 1e9}


class Box:
    """Upright, in pixels, y growing downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def y(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Word(Box):
    """A piece of text and where it stands; `text` is empty where it was found and not read."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    score: float = 1.0

    @property
    def is_upright(self) -> bool:
        """Whether it is written upwards or downwards."""
        return len(self.text) > 1 and self.height > _TALL * self.width


def _overlap(one: Word, other: Word) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / max(min(one.height, other.height), 1)


def _across(word: Word) -> tuple[float, float, str]:
    return word.left, word.top, word.text


def rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words grouped into rows, top to bottom, each from left to right."""
    grouped: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.top + word.bottom, *_across(word))):
        if grouped and _overlap(grouped[-1][-1], word) >= _SAME_ROW_OVERLAP:
            grouped[-1].append(word)
        else:
            grouped.append([word])
    return [sorted(row, key=_across) for row in grouped]


def text_height(words: Sequence[Word]) -> float:
    """The usual one; at least a pixel, so that it can divide."""
    heights = [word.height for word in words if not word.is_upright]
    return max(1.0, statistics.median(heights or [word.width for word in words] or [1]))


def joined(words: Sequence[Word]) -> str:
    """Their texts in reading order."""
    return " ".join(word.text for row in rows(words) for word in row)


def without_marks(text: str) -> str:
    """Without what tick marks and rules beside a word are read as."""
    return text if number(text) is not None else text.strip(" -–—_|'`·") or text


def is_bracket(word: Word) -> bool:
    """Return whether nothing but brackets was read: the end of a block of code, or a drawing."""
    return not any(map(str.isalnum, word.text))


def pieces(word: Word) -> list[Word]:
    """The word cut at its spaces, each piece as wide as its share of the characters."""
    scale = word.width / max(len(word.text), 1)
    return [
        replace(
            word,
            text=match.group(),
            left=word.left + scale * match.start(),
            right=word.left + scale * match.end(),
        )
        for match in re.finditer(r"\S+", word.text)
    ]


def number(text: str) -> float | None:
    """The value of a text that is one number with or without its unit: "$1,240", "35%", "1.2k"."""
    found = _NUMBER.fullmatch(text.strip())
    if not found or _ORDINAL.fullmatch(text.strip()):
        return None
    digits = re.sub(r"[,' ]", "" if found["grouped"] else ".", found["digits"])
    value = float(digits) * (1 if unit(text) else _THOUSANDS.get((found["unit"] or "").lower(), 1))
    negative = found["sign"] in tuple("-−–") or found["minus"]
    return -value if negative else value


def unit(text: str) -> str:
    """What a number is measured in: "km" of "3 km", nothing of "1.2M", which is millions."""
    found = _NUMBER.fullmatch(text.strip())
    if not found or not found["unit"]:
        return ""
    is_multiple = found["unit"].lower() in _THOUSANDS and not found["space"]
    return "" if is_multiple else str(found["unit"])

"""From words with boxes to a caption: the title, then all text row by row in reading order."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

COMPOSER_VERSION = "reading-order-1"

_NO_TEXT = "No readable text was found in the image."
# Two words stand in one row when their vertical extents overlap by this share of the lower one.
_SAME_ROW_OVERLAP = 0.5
# A first row this much taller than the usual word is a title.
_TITLE_HEIGHT = 1.2


@dataclass(frozen=True)
class Word:
    """A piece of text and its upright box in pixels, y growing downwards."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def _overlap(one: Word, other: Word) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / max(min(one.height, other.height), 1)


def rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words grouped into rows, top to bottom, each from left to right."""
    grouped: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.top + word.bottom, *_across(word))):
        if grouped and _overlap(grouped[-1][-1], word) >= _SAME_ROW_OVERLAP:
            grouped[-1].append(word)
        else:
            grouped.append([word])
    return [sorted(row, key=_across) for row in grouped]


def _across(word: Word) -> tuple[float, float, str]:
    return word.left, word.top, word.text


def _lines(words: Sequence[Word]) -> Iterator[str]:
    reading_order = rows(words)
    usual_height = statistics.median(word.height for word in words)
    first = reading_order[0]
    if len(reading_order) > 1 and max(word.height for word in first) > _TITLE_HEIGHT * usual_height:
        yield "Title: " + " ".join(word.text for word in first)
        reading_order = reading_order[1:]
    yield "Text in the image, row by row:"
    for row in reading_order:
        yield " | ".join(word.text for word in row)


def compose(words: Sequence[Word], *, max_chars: int | None = None) -> tuple[str, bool]:
    """(caption of one image, whether it was cut at `max_chars`); only whole lines are cut off."""
    if not words:
        return _NO_TEXT, False
    kept: list[str] = []
    length = -1
    for line in _lines(words):
        length += len("\n") + len(line)
        if kept and max_chars is not None and length > max_chars:
            return "\n".join(kept), True
        kept.append(line)
    return "\n".join(kept), False

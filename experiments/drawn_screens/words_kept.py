"""Counts which words of a screen stand in its caption, and which pairs of neighbours."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from experiments.drawn_screens.drawing_pen import Screen

# What the composer writes between words, and behind the cells of tables.
_SEPARATORS = "|"
_ENDS = ".,:;"


@dataclass(frozen=True)
class Kept:
    """Of how many words and pairs of neighbours how many are in the caption."""

    words: int = 0
    words_kept: int = 0
    pairs: int = 0
    pairs_kept: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(
            self.words + other.words,
            self.words_kept + other.words_kept,
            self.pairs + other.pairs,
            self.pairs_kept + other.pairs_kept,
        )

    def told(self) -> str:
        """Return both shares, as a table has them."""
        return f"{self.words_kept / self.words:.1%}, {self.pairs_kept / self.pairs:.0%}"


def words_of(text: str) -> list[str]:
    """Return what stands between spaces, case kept, without full stops, commas, colons at its ends.

    Those are left aside because the composer writes some of its own into tables.
    """
    stripped = (word.strip(_ENDS) for word in text.split() if word != _SEPARATORS)
    return [word for word in stripped if word]


def kept(screen: Screen, caption: str) -> Kept:
    """Count words as often as they are drawn; neighbours within a block, lines joined."""
    read = words_of(caption)
    blocks = [words_of(" ".join(lines)) for lines in screen.blocks]
    words = Counter(word for block in blocks for word in block)
    pairs = Counter(pair for block in blocks for pair in pairwise(block))
    return Kept(
        words.total(),
        (words & Counter(read)).total(),
        pairs.total(),
        (pairs & Counter(pairwise(read))).total(),
    )


def missing(screen: Screen, caption: str) -> list[str]:
    """Return the words that the caption lacks, for those who look into why."""
    drawn = Counter(word for lines in screen.blocks for word in words_of(" ".join(lines)))
    return sorted((drawn - Counter(words_of(caption))).elements())

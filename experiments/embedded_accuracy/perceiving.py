"""What the captioner's OCR reads in the drawings, told by either composer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from experiments.embedded_accuracy.items import Drawing
from experiments.embedded_accuracy.pairs import pair_is_told
from racro.embedded.composer import compose, reading_order
from racro.embedded.reader import OcrReader

READING_ORDER = "reading order"
COMPOSER = "composer"


@dataclass(frozen=True)
class Perceived:
    """A drawing and the caption that each composer gives of it."""

    drawing: Drawing
    captions: dict[str, str]

    def pairs_told(self, composer: str) -> int:
        return sum(pair_is_told(pair, self.captions[composer]) for pair in self.drawing.pairs)


def perceive(drawings: Iterable[Drawing]) -> Iterator[Perceived]:
    reader = OcrReader(threads=1)
    for drawing in drawings:
        words, pixels = reader.read(drawing.image.convert("RGB"))
        captions = {
            READING_ORDER: "\n".join(reading_order(words)) if words else compose(words, pixels)[0],
            COMPOSER: compose(words, pixels)[0],
        }
        yield Perceived(drawing, captions)

"""Does the captioner that sees tell what OCR does not? On the held-out drawings, asked nothing.

Run: make eval-seeing
"""

import base64
import io
from collections import Counter
from collections.abc import Iterator, Sequence

import httpx2
from rich.console import Console
from rich.progress import track

from experiments.embedded_accuracy import heldout
from experiments.embedded_accuracy.items import Drawing
from experiments.embedded_accuracy.pairs import pair_is_told
from experiments.embedded_accuracy.perceiving import COMPOSER, perceive
from racro.cli.stack import Ports, Stack, embedded_default
from racro.evaluation.statistics import accuracy

_TIMEOUT_S = 60


def _seen(drawings: Sequence[Drawing]) -> Iterator[str]:
    """What the packaged captioner says of each, through its service."""
    captioner, *_ = embedded_default(Ports.free(), "drawn")
    stack = Stack([captioner])
    with (
        stack.running(lambda _name, _seconds: None),
        httpx2.Client(base_url=stack.url, timeout=_TIMEOUT_S, trust_env=False) as client,
    ):
        for drawing in drawings:
            request = {"images": [_data_url(drawing)], "parts": ["caption"]}
            response = client.post("/v1/perceive", json=request)
            response.raise_for_status()
            yield response.json()["caption"][0]["text"]


def _data_url(drawing: Drawing) -> str:
    stored = io.BytesIO()
    drawing.image.save(stored, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stored.getvalue()).decode()}"


def main() -> None:
    console = Console()
    drawings = list(heldout.drawings())
    seen = list(track(_seen(drawings), "seeing", total=len(drawings)))
    read = [
        one.captions[COMPOSER] for one in track(perceive(drawings), "reading", total=len(drawings))
    ]
    told: Counter[str] = Counter()
    for drawing, by_seeing, by_reading in zip(drawings, seen, read, strict=True):
        for pair in drawing.pairs:
            sees, reads = pair_is_told(pair, by_seeing), pair_is_told(pair, by_reading)
            told.update(OCR=reads, sees=sees, both=sees or reads)
    pairs = sum(len(drawing.pairs) for drawing in drawings)
    for name, count in told.items():
        share = accuracy(count, pairs)
        interval = f"{share.low:.0%}–{share.high:.0%}"
        console.print(
            f"{name}: {count} of {pairs} pairs, {share.value:.0%} ({interval})", highlight=False
        )


if __name__ == "__main__":
    main()

"""Has the OCR captioner read drawn screens, and counts the words that its captions keep.

Run: make eval-screens
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import get_args

from rich.console import Console
from rich.progress import track

from experiments.drawn_screens.drawing_screens import Half, screens
from experiments.drawn_screens.screen_captions import read_screen
from experiments.drawn_screens.words_kept import Kept, kept, missing

OUTPUTS = Path("outputs/screens")


def _rows(half: Half, folder: Path) -> Iterator[str]:
    """Yield the rows of the table, by kind and in all; captions are written into the folder."""
    general: dict[str, Kept] = defaultdict(Kept)
    verbatim: dict[str, Kept] = defaultdict(Kept)
    numbers: dict[str, int] = defaultdict(int)
    started = process_time()
    for screen in track(list(screens(half)), half):
        captions = read_screen(screen)
        for kind in (screen.kind, "all"):
            numbers[kind] += 1
            general[kind] += kept(screen, captions.general)
            verbatim[kind] += kept(screen, captions.screen)
        lost = " ".join(missing(screen, captions.screen))
        text = f"{captions.screen}\n\nnot kept: {lost}\n"
        (folder / f"{screen.name}.txt").write_text(text, encoding="utf-8")
        screen.image.save(folder / f"{screen.name}.png")
    for kind in sorted(numbers, key=lambda kind: (kind == "all", kind)):
        yield (
            f"| {kind} | {numbers[kind]} | {general[kind].words} | {general[kind].told()} "
            f"| {verbatim[kind].told()} |"
        )
    yield f"{process_time() - started:.0f} s of CPU"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.drawn_screens")
    parser.add_argument("--half", choices=get_args(Half), default="held-out")
    parser.add_argument("--output", type=Path, default=OUTPUTS, help="folder of the captions")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    console = Console(width=120)
    console.print("| kind | n | words | words kept, pairs | profile screen: words kept, pairs |")
    console.print("|---|---|---|---|---|")
    for row in _rows(arguments.half, arguments.output):
        console.print(row, markup=False, highlight=False)


if __name__ == "__main__":
    main()

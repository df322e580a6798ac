"""Eight of the drawn screens through the real reader and composer: their words are in the captions.

Slow, and in an environment of its own (with fonts): make test-embedded
"""

import pytest

from experiments.drawn_screens.drawing_screens import KINDS, screen, screens
from experiments.drawn_screens.screen_captions import read_screen
from experiments.drawn_screens.words_kept import Kept, kept, words_of

OF = (
    *("terminal", "editor-dark", "editor-light", "dialog"),
    *("web-page", "settings", "table", "chat"),
)


def test_the_words_of_screens_are_kept() -> None:
    by_default, as_they_stand = Kept(), Kept()
    for kind in OF:
        drawn = screen("development", kind, 0)
        captions = read_screen(drawn)
        by_default += kept(drawn, captions.general)
        as_they_stand += kept(drawn, captions.screen)
    assert as_they_stand.words_kept >= 0.97 * as_they_stand.words
    assert as_they_stand.pairs_kept >= 0.95 * as_they_stand.pairs
    assert by_default.words_kept >= 0.97 * by_default.words


def test_the_lines_of_code_keep_their_indentation() -> None:
    lines = read_screen(screen("development", "editor-light", 1)).screen.splitlines()
    body = next(at for at, line in enumerate(lines) if "def handle_customer" in line)
    start = lines[body].index("def")
    assert lines[body + 2].index("shelf =") == start + 4


@pytest.mark.parametrize("half", ["development", "held-out"])
def test_there_are_thirty_in_each_half_and_each_has_text(half) -> None:
    drawn = list(screens(half))
    assert len({one.name for one in drawn}) == len(drawn) == 30
    assert {one.name.removeprefix(f"{half}-")[:-2] for one in drawn} == set(KINDS)
    assert all(len(words_of(" ".join(map(" ".join, one.blocks)))) >= 20 for one in drawn)


def test_they_are_drawn_the_same_every_time() -> None:
    one, other = (screen("held-out", "terminal", 0) for _ in range(2))
    assert one.image.tobytes() == other.image.tobytes()
    assert one.blocks == other.blocks
    assert one.blocks != screen("development", "terminal", 0).blocks

"""Draws the screens: six of each of ten kinds, of which three are for development."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Literal

from experiments.drawn_screens.app_screens import chat_window, dashboard, dialog, settings_pane
from experiments.drawn_screens.code_screens import dark_editor, light_editor, terminal
from experiments.drawn_screens.drawing_pen import Screen
from experiments.drawn_screens.page_screens import document, table, web_page

Half = Literal["development", "held-out"]

# Held-out screens are drawn by other seeds; the kinds, their words and fonts are the same.
_SEEDS: Mapping[Half, int] = {"development": 20_281, "held-out": 77_003}
_OF_A_KIND = 3

KINDS: Mapping[str, Callable[[Random, str], Screen]] = {
    "terminal": terminal,
    "editor-dark": dark_editor,
    "editor-light": light_editor,
    "dialog": dialog,
    "web-page": web_page,
    "dashboard": dashboard,
    "settings": settings_pane,
    "table": table,
    "chat": chat_window,
    "document": document,
}


def screens(half: Half) -> Iterator[Screen]:
    """Draw a half of the screens, the same every time."""
    for name in KINDS:
        for number in range(_OF_A_KIND):
            yield screen(half, name, number)


def screen(half: Half, kind: str, number: int) -> Screen:
    """Draw one screen."""
    name = f"{half}-{kind}-{number + 1}"
    # Text seeds are hashed by random itself, the same in every process.
    return KINDS[kind](Random(f"{_SEEDS[half]} {name}"), name)

"""What the renderers share: fonts by name and the data of a chart."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

FONT_FILES = {
    "Roboto": ("font_roboto", "Roboto-Regular.ttf", "Roboto-Bold.ttf"),
    "Source Sans Pro": (
        "font_source_sans_pro",
        "SourceSansPro-Regular.ttf",
        "SourceSansPro-Bold.ttf",
    ),
    "Source Serif Pro": (
        "font_source_serif_pro",
        "SourceSerifPro-Regular.ttf",
        "SourceSerifPro-Bold.ttf",
    ),
    "Hanken Grotesk": (
        "font_hanken_grotesk",
        "HankenGrotesk-Regular.otf",
        "HankenGrotesk-Bold.otf",
    ),
    "Manrope": ("font_manrope", "Manrope-Regular.ttf", "Manrope-Bold.ttf"),
    "Caladea": ("font_caladea", "Caladea-Regular.ttf", "Caladea-Bold.ttf"),
    "Fredoka One": ("font_fredoka_one", "FredokaOne-Regular.ttf", "FredokaOne-Regular.ttf"),
}


def font_file(name: str, *, bold: bool = False) -> Path:
    package, regular, heavy = FONT_FILES[name]
    return Path(str(files(package))) / "files" / (heavy if bold else regular)


@dataclass(frozen=True)
class Plot:
    """One series: `printed` is written at the marks, or nothing is where it is empty."""

    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    printed: tuple[str, ...]
    axis: str = ""


@dataclass(frozen=True)
class GroupedPlot:
    """`values` and `printed` by group, then by series."""

    title: str
    groups: tuple[str, ...]
    series: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    printed: tuple[tuple[str, ...], ...]
    axis: str = ""


def valley_marks(values: tuple[float, ...]) -> list[bool]:
    """Whether a point of a line lies below its neighbours, so that its label fits underneath."""
    padded = [float("inf"), *values, float("inf")]
    return [
        value <= min(before, after) or value < (before + after) / 2 < float("inf")
        for before, value, after in zip(padded, values, padded[2:], strict=False)
    ]

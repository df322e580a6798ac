"""Charts drawn by matplotlib, in its style sheets and in fonts other than its default."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import cos, radians, sin
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from experiments.embedded_accuracy.heldout.rendering import (
    FONT_FILES,
    GroupedPlot,
    Plot,
    font_file,
    valley_marks,
)

Size = tuple[float, float]


@cache
def _register_fonts() -> None:
    for name in FONT_FILES:
        fontManager.addfont(font_file(name))
        fontManager.addfont(font_file(name, bold=True))


@contextmanager
def _styled(style: str, font: str) -> Iterator[None]:
    _register_fonts()
    sizes: Any = {
        "font.family": font,
        "font.size": 12,
        "axes.titlesize": 15,
        "axes.labelsize": 12,
        "xtick.labelsize": 12,
        "ytick.labelsize": 12,
        "legend.fontsize": 12,
        "mathtext.fontset": "stix",
    }
    with matplotlib.style.context(style), mpl.rc_context(sizes):
        yield


def _figure(size: Size) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, dpi=100, layout=ConstrainedLayoutEngine(w_pad=0.18, h_pad=0.14))
    return figure, figure.subplots()


def _image(figure: Figure) -> Image.Image:
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    return Image.frombytes("RGBA", (width, height), bytes(canvas.buffer_rgba())).convert("RGB")


def upright(style: str, font: str, size: Size = (7.6, 4.8)) -> Callable[[Plot], Image.Image]:
    def draw(plot: Plot) -> Image.Image:
        with _styled(style, font):
            figure, axes = _figure(size)
            bars = axes.bar(plot.labels, plot.values, width=0.6)
            axes.bar_label(bars, labels=list(plot.printed), padding=3) if plot.printed else None
            axes.set(title=plot.title, ylabel=plot.axis, ylim=(0, max(plot.values) * 1.14))
            return _image(figure)

    return draw


def sideways(style: str, font: str, size: Size = (7.6, 4.4)) -> Callable[[Plot], Image.Image]:
    def draw(plot: Plot) -> Image.Image:
        with _styled(style, font):
            figure, axes = _figure(size)
            bars = axes.barh(plot.labels, plot.values, height=0.6)
            axes.bar_label(bars, labels=list(plot.printed), padding=4) if plot.printed else None
            axes.invert_yaxis()
            axes.set(title=plot.title, xlabel=plot.axis, xlim=(0, max(plot.values) * 1.18))
            return _image(figure)

    return draw


def line(style: str, font: str, size: Size = (8.2, 4.6)) -> Callable[[Plot], Image.Image]:
    def draw(plot: Plot) -> Image.Image:
        with _styled(style, font):
            figure, axes = _figure(size)
            axes.plot(plot.labels, plot.values, marker="o", linewidth=2)
            places = zip(plot.labels, plot.values, strict=True)
            valleys = valley_marks(plot.values)
            for place, shown, under in zip(places, plot.printed, valleys, strict=False):
                axes.annotate(
                    shown, place, (0, -20 if under else 9), textcoords="offset points", ha="center"
                )
            low, high = min(plot.values), max(plot.values)
            margin = (high - low) * 0.22
            axes.set(title=plot.title, ylabel=plot.axis, ylim=(low - margin, high + margin))
            return _image(figure)

    return draw


def grouped(
    style: str, font: str, size: Size = (9.2, 5.0), *, flat: bool = False
) -> Callable[[GroupedPlot], Image.Image]:
    """Groups side by side with a legend; `flat` lays the bars down."""

    def draw(plot: GroupedPlot) -> Image.Image:
        with _styled(style, font):
            figure, axes = _figure(size)
            thickness = 0.8 / len(plot.series)
            middles = range(len(plot.groups))
            for index, name in enumerate(plot.series):
                shift = (index - (len(plot.series) - 1) / 2) * thickness
                places = [middle + shift for middle in middles]
                heights = [values[index] for values in plot.values]
                draw_bars = axes.barh if flat else axes.bar
                bars = draw_bars(places, heights, thickness * 0.94, label=name)
                axes.bar_label(bars, labels=[printed[index] for printed in plot.printed], padding=3)
            top = max(max(values) for values in plot.values) * 1.16
            if flat:
                axes.set_yticks(list(middles), plot.groups)
                axes.invert_yaxis()
                axes.set(title=plot.title, xlabel=plot.axis, xlim=(0, top))
            else:
                axes.set_xticks(list(middles), plot.groups)
                axes.set(title=plot.title, ylabel=plot.axis, ylim=(0, top))
            figure.legend(loc="outside lower center", ncols=len(plot.series))
            return _image(figure)

    return draw


def pie(
    style: str, font: str, size: Size = (6.8, 5.0), *, legend: bool = False, hole: bool = False
) -> Callable[[Plot], Image.Image]:
    """Label outside and value inside each slice; `legend` moves the labels into a legend."""

    def draw(plot: Plot) -> Image.Image:
        with _styled(style, font):
            figure, axes = _figure(size)
            shape = {"width": 0.46 if hole else 1.0, "edgecolor": "white"}
            labels = None if legend else list(plot.labels)
            drawn: Any = axes.pie(plot.values, labels=labels, wedgeprops=shape, startangle=90)
            wedges = getattr(drawn, "wedges", drawn[0])
            _write_inside(axes, wedges, plot.printed, 0.77 if hole else 0.64)
            if legend:
                figure.legend(wedges, plot.labels, loc="outside right center")
            axes.set_title(plot.title)
            return _image(figure)

    return draw


def together_pie(style: str, font: str, size: Size = (7.4, 5.0)) -> Callable[[Plot], Image.Image]:
    """Label and value in one text beside each slice, such as "Wool: 26%"."""

    def draw(plot: Plot) -> Image.Image:
        with _styled(style, font):
            figure, axes = _figure(size)
            both = [
                f"{label}: {shown}" for label, shown in zip(plot.labels, plot.printed, strict=True)
            ]
            axes.pie(plot.values, labels=both, wedgeprops={"edgecolor": "white"}, startangle=60)
            axes.set_title(plot.title)
            return _image(figure)

    return draw


def _write_inside(axes: Axes, wedges: Any, printed: tuple[str, ...], radius: float) -> None:
    for wedge, shown in zip(wedges, printed, strict=False):
        middle = radians((wedge.theta1 + wedge.theta2) / 2)
        place = (radius * cos(middle), radius * sin(middle))
        axes.text(*place, shown, ha="center", va="center", color="white", weight="bold")

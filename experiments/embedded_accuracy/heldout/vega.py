"""Charts drawn by Vega-Lite, in its themes."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any, Literal

import vl_convert
from PIL import Image

from experiments.embedded_accuracy.heldout.rendering import (
    FONT_FILES,
    GroupedPlot,
    Plot,
    font_file,
    valley_marks,
)

Theme = Literal[
    "carbong90",
    "dark",
    "excel",
    "fivethirtyeight",
    "ggplot2",
    "googlecharts",
    "latimes",
    "powerbi",
    "quartz",
    "urbaninstitute",
    "vox",
]
DARK_THEMES = ("carbong90", "dark")
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
HEADROOM = 1.15


@cache
def _register_fonts() -> None:
    for name in FONT_FILES:
        vl_convert.register_font_directory(str(font_file(name).parent))


def _rendered(spec: dict[str, Any], theme: Theme, font: str) -> Image.Image:
    _register_fonts()
    sizes = {"labelFontSize": 14, "titleFontSize": 14, "labelLimit": 240}
    config = {
        "font": font,
        "axis": {**sizes, "labelFont": font, "titleFont": font, "labelAngle": 0},
        "legend": {**sizes, "labelFont": font, "titleFont": font},
        "title": {"fontSize": 19, "font": font, "offset": 14},
        "text": {"font": font, "fontSize": 15},
    }
    whole = {"$schema": SCHEMA, "padding": 18, **spec}
    png = vl_convert.vegalite_to_png(whole, theme=theme, config=config, scale=1.2)
    drawn = Image.open(BytesIO(png)).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")


def _ink(theme: Theme) -> str:
    return "#f2f2f2" if theme in DARK_THEMES else "#222222"


def _rows(plot: Plot) -> list[dict[str, object]]:
    printed = plot.printed or ("",) * len(plot.labels)
    return [
        {"label": label, "value": value, "shown": shown}
        for label, value, shown in zip(plot.labels, plot.values, printed, strict=True)
    ]


def _value_axis(axis: str, top: float) -> dict[str, object]:
    return {
        "field": "value",
        "type": "quantitative",
        "title": axis or None,
        "scale": {"domain": [0, top * HEADROOM]},
    }


def _label_axis() -> dict[str, object]:
    return {"field": "label", "type": "nominal", "sort": None, "title": None}


def _marked(
    plot: Plot, mark: dict[str, object], text: dict[str, object], theme: Theme
) -> list[Any]:
    if not plot.printed:
        return [{"mark": mark}]
    words = {"type": "text", "color": _ink(theme), **text}
    return [{"mark": mark}, {"mark": words, "encoding": {"text": {"field": "shown"}}}]


def upright(theme: Theme, font: str, width: int = 560) -> Callable[[Plot], Image.Image]:
    def draw(plot: Plot) -> Image.Image:
        spec = {
            "title": plot.title,
            "width": width,
            "height": 320,
            "data": {"values": _rows(plot)},
            "encoding": {"x": _label_axis(), "y": _value_axis(plot.axis, max(plot.values))},
            "layer": _marked(plot, {"type": "bar"}, {"dy": -10}, theme),
        }
        return _rendered(spec, theme, font)

    return draw


def sideways(theme: Theme, font: str, width: int = 480) -> Callable[[Plot], Image.Image]:
    def draw(plot: Plot) -> Image.Image:
        spec = {
            "title": plot.title,
            "width": width,
            "height": {"step": 46},
            "data": {"values": _rows(plot)},
            "encoding": {
                "y": _label_axis(),
                "x": {**_value_axis(plot.axis, max(plot.values)), "axis": {"grid": False}},
            },
            "layer": _marked(plot, {"type": "bar"}, {"dx": 7, "align": "left"}, theme),
        }
        return _rendered(spec, theme, font)

    return draw


def _beside_line(plot: Plot, theme: Theme) -> list[Any]:
    """The printed values: under the line in its valleys, over it elsewhere."""
    if not plot.printed:
        return []
    valleys = [
        label for label, low in zip(plot.labels, valley_marks(plot.values), strict=True) if low
    ]
    return [
        {
            "transform": [{"filter": {"not": inside} if dy < 0 else inside}],
            "mark": {"type": "text", "color": _ink(theme), "dy": dy},
            "encoding": {"text": {"field": "shown"}},
        }
        for dy in (-16, 18)
        for inside in [{"field": "label", "oneOf": valleys}]
    ]


def line(theme: Theme, font: str, width: int = 620) -> Callable[[Plot], Image.Image]:
    def draw(plot: Plot) -> Image.Image:
        mark: dict[str, object] = {"type": "line", "point": True, "strokeWidth": 2.5}
        spec = {
            "title": plot.title,
            "width": width,
            "height": 300,
            "data": {"values": _rows(plot)},
            "encoding": {"x": _label_axis(), "y": _value_axis(plot.axis, max(plot.values))},
            "layer": [{"mark": mark}, *_beside_line(plot, theme)],
        }
        return _rendered(spec, theme, font)

    return draw


def grouped(theme: Theme, font: str, *, flat: bool = False) -> Callable[[GroupedPlot], Image.Image]:
    """Groups side by side with a legend; `flat` lays the bars down."""

    def draw(plot: GroupedPlot) -> Image.Image:
        rows = [
            {"label": group, "series": name, "value": value, "shown": shown}
            for group, values, printed in zip(plot.groups, plot.values, plot.printed, strict=True)
            for name, value, shown in zip(plot.series, values, printed, strict=True)
        ]
        value_axis = _value_axis(plot.axis, max(max(values) for values in plot.values))
        place, offset = ("y", "yOffset") if flat else ("x", "xOffset")
        text: dict[str, object] = {"dx": 6, "align": "left"} if flat else {"dy": -9}
        words = {"type": "text", "color": _ink(theme), "fontSize": 14, **text}
        encoding: dict[str, object] = {
            place: _label_axis(),
            "x" if flat else "y": value_axis,
            offset: {"field": "series", "sort": None},
        }
        colour = {"field": "series", "type": "nominal", "sort": None, "title": None}
        extent: dict[str, object] = {"width": 460, "height": {"step": 30, "for": "offset"}}
        upright_extent: dict[str, object] = {
            "width": {"step": 52, "for": "offset"},
            "height": 320,
        }
        spec = {
            "title": plot.title,
            **(extent if flat else upright_extent),
            "data": {"values": rows},
            "encoding": encoding,
            "layer": [
                {"mark": {"type": "bar"}, "encoding": {"color": colour}},
                {"mark": words, "encoding": {"text": {"field": "shown"}}},
            ],
        }
        return _rendered(spec, theme, font)

    return draw


def pie(
    theme: Theme, font: str, *, hole: int = 0, label_outside: bool = False
) -> Callable[[Plot], Image.Image]:
    """Values inside the slices beside a legend, or label and value around the pie."""

    def draw(plot: Plot) -> Image.Image:
        rows: list[dict[str, object]] = [
            {**row, "order": order, "both": f"{row['label']} {row['shown']}"}
            for order, row in enumerate(_rows(plot))
        ]
        legend = {"legend": None} if label_outside else {}
        colour = {"field": "label", "type": "nominal", "sort": None, "title": None, **legend}
        words = {
            "type": "text",
            "radius": 235 if label_outside else hole // 2 + 95,
            "fontSize": 16,
            "fontWeight": "bold",
        }
        ink = {"value": _ink(theme) if label_outside else "white"}
        shown = {"field": "both" if label_outside else "shown"}
        text = {"mark": words, "encoding": {"text": shown, "color": ink}}
        arc = {
            "mark": {"type": "arc", "outerRadius": 150, "innerRadius": hole, "stroke": "white"},
            "encoding": {"color": colour},
        }
        spec = {
            "title": plot.title,
            "width": 620 if label_outside else 340,
            "height": 480 if label_outside else 320,
            "data": {"values": rows},
            "encoding": {
                "theta": {"field": "value", "type": "quantitative", "stack": True},
                "order": {"field": "order", "type": "quantitative"},
            },
            "layer": [arc, text] if plot.printed else [arc],
        }
        return _rendered(spec, theme, font)

    return draw

"""Chooses the background of an image that is transparent: the one on which it can be seen.

Pillow is imported when it is needed: not every package that imports `racro.base` has it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

Background = Literal["white", "black"]

_FAINT = 32
# White is left for an image that shows less than a third of the edges there that it shows on black:
# a text that is brighter than a grey of 191. Next to none of those that it shows on white may be
# gone on black, or be within it, as those of a text on a card are: it is read on white, too.
_POOR = 3
_NEXT_TO_NONE = 32
# And it is left for light text beside colours that are seen on both: where the edges of light
# strokes are gone on white, a 25th of all at least, and hardly any are on black.
_SOME = 25
_HARDLY = 4
# In pixels: light areas that are wider than two of it are paper, not strokes; and what is as near
# to an edge within the image is told by that edge, as light outlines of dark text are.
_STROKE = 4


def background_of(layer: "Image") -> Background:
    """Return white, or black for an image in RGBA of which white hides what black shows.

    An edge is the difference of two neighbouring pixels in grey.
    """
    on_white, on_black = _edges(layer, "white"), _edges(layer, "black")
    seen, own = _total(on_black), _within(layer)
    only_on_white = _total(on_white, where=map(_faint, on_black))
    within = _total(on_white, where=own)
    is_poor = _total(on_white) * _POOR < seen
    if is_poor and (only_on_white + within) * _NEXT_TO_NONE < seen:
        return "black"
    gone = _total(on_black, where=_gone_strokes(layer, on_white, own))
    lost = _total(on_white, where=map(_gone, on_black))
    return "black" if gone * _SOME > seen and gone > lost * _HARDLY else "white"


def _gone_strokes(layer: "Image", on_white: list["Image"], own: list["Image"]) -> list["Image"]:
    """Return where an edge that is gone on white is one of a light stroke."""
    from PIL import ImageChops, ImageOps  # noqa: PLC0415

    hidden = _faint(ImageChops.invert(_flat(layer, "white")))
    light = ImageChops.subtract(hidden, _faint(_flat(layer, "black")))
    cores = ImageChops.invert(_grown(ImageChops.invert(light), _STROKE))
    # Edges are those of an image with a border.
    paper = _grown(ImageOps.expand(cores, 1), 2 * _STROKE + 1)
    strokes = []
    for edges, mask in zip(on_white, own, strict=True):
        told = _grown(ImageChops.subtract(mask, _faint(edges)), _STROKE)
        known = ImageChops.lighter(told, paper.crop((0, 0, *edges.size)))
        strokes.append(ImageChops.subtract(_gone(edges), known))
    return strokes


def _gone(edges: "Image") -> "Image":
    """Return where an edge is not seen, nor one next to it, as where a stroke is smooth."""
    from PIL import ImageChops  # noqa: PLC0415

    return ImageChops.invert(_grown(ImageChops.invert(_faint(edges)), 1))


def _grown(mask: "Image", by: int) -> "Image":
    """Return a mask and what is no farther from it than so many pixels, at most 9, each way."""
    from PIL import ImageFilter  # noqa: PLC0415

    return mask.filter(ImageFilter.BoxBlur(by)).point(lambda value: 255 * (value > 0))


def _flat(layer: "Image", background: Background) -> "Image":
    from PIL import Image  # noqa: PLC0415

    behind = Image.new("RGBA", layer.size, background)
    return Image.alpha_composite(behind, layer).convert("L")


def _edges(layer: "Image", background: Background) -> list["Image"]:
    """Return the edges across and down, of the image's outline too."""
    from PIL import ImageChops  # noqa: PLC0415

    pairs = _neighbours(_flat(layer, background), background)
    return [ImageChops.difference(*pair) for pair in pairs]


def _within(layer: "Image") -> list["Image"]:
    """Return where an edge is the image's own: both its pixels are as transparent."""
    from PIL import ImageChops  # noqa: PLC0415

    alpha = layer.getchannel("A")
    return [_faint(ImageChops.difference(*pair)) for pair in _neighbours(alpha, "black")]


def _neighbours(grey: "Image", border: Background) -> list[tuple["Image", "Image"]]:
    """Return an image that has a border with itself, one pixel further across, and down."""
    from PIL import ImageOps  # noqa: PLC0415

    framed = ImageOps.expand(grey, 1, fill=255 if border == "white" else 0)
    width, height = framed.size
    return [
        (framed.crop((1, 0, width, height)), framed.crop((0, 0, width - 1, height))),
        (framed.crop((0, 1, width, height)), framed.crop((0, 0, width, height - 1))),
    ]


def _faint(edges: "Image") -> "Image":
    return edges.point(lambda difference: 255 * (difference < _FAINT))


def _total(edges: Iterable["Image"], where: Iterable["Image"] | None = None) -> float:
    from PIL import ImageStat  # noqa: PLC0415

    masks: Iterable[Image | None] = [None, None] if where is None else where
    return sum(ImageStat.Stat(*pair).sum[0] for pair in zip(edges, masks, strict=True))

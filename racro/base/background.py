"""Chooses the background of an image that is transparent: the one on which it can be seen.

Pillow is imported when it is needed: not every package that imports `racro.base` has it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

Background = Literal["white", "black"]

_FAINT = 32
# White is left only for an image that shows less than a third of the edges there that it shows on
# black: a text that is brighter than a grey of 191. Next to none of those that it shows on white
# may be gone on black, or be within it, as those of a text on a card are: it is read on white, too.
_POOR = 3
_NEXT_TO_NONE = 32


def background_of(layer: "Image") -> Background:
    """Return white, or black for an image in RGBA that can hardly be seen on white.

    An edge is the difference of two neighbouring pixels in grey.
    """
    on_white, on_black = _edges(layer, "white"), _edges(layer, "black")
    seen = _total(on_black)
    if _total(on_white) * _POOR >= seen:
        return "white"
    only_on_white = _total(on_white, where=[_faint(edges) for edges in on_black])
    within = _total(on_white, where=_within(layer))
    return "black" if (only_on_white + within) * _NEXT_TO_NONE < seen else "white"


def _edges(layer: "Image", background: Background) -> list["Image"]:
    """Return the edges across and down, of the image's outline too."""
    from PIL import Image, ImageChops  # noqa: PLC0415

    flat = Image.alpha_composite(Image.new("RGBA", layer.size, background), layer).convert("L")
    return [ImageChops.difference(*pair) for pair in _neighbours(flat, background)]


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

    masks: Iterable[Image | None] = where or [None, None]
    return sum(ImageStat.Stat(*pair).sum[0] for pair in zip(edges, masks, strict=True))

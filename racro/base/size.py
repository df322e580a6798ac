"""Names the sizes of images, and what says at which one an image is wanted."""

from collections.abc import Callable

# Width and height, in pixels.
Size = tuple[int, int]
# From an upright image's size to the wanted one.
Fit = Callable[[Size], Size]


def same_size(size: Size) -> Size:
    """Return a size as it is: the fit of an image that is wanted in full."""
    return size

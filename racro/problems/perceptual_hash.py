"""Whether two images show the same, scaled and encoded anew as they may be."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from racro.base.rgb import upright_rgb
from racro.problems.encoded_images import opened

if TYPE_CHECKING:
    from PIL.Image import Image

# dHash (N. Krawetz, "Kind of Like That", 2013) finds who may be alike, small copies tell who is:
# line drawings on white are too much alike for 64 bits. 800 copies of 400 diagrams, scaled (0.4 to
# 1.6) and encoded anew (JPEG of quality 50 and 90, WebP), are at most 8 bits and 0.17 of contrast
# away from their originals; 64% of the diagrams have another within 8 bits, none within 0.36.
_MOST_BITS = 8
_MOST_APART = 0.25
_SIDE = 64


@dataclass(frozen=True, slots=True)
class PerceptualHash:
    """`bits`: 64 of dHash. `copy`: 64 × 64 grey pixels. `contrast`: their standard deviation."""

    bits: int
    copy: "Image"
    contrast: float

    @classmethod
    def of(cls, data: bytes) -> "PerceptualHash":
        """Raises InvalidProblem where the image cannot be decoded."""
        from PIL import Image, ImageStat  # noqa: PLC0415  # not every user of problems has Pillow

        with opened(data) as image:
            grey = upright_rgb(image).convert("L")  # as captioners get it
        copy = grey.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        pixels = grey.resize((9, 8), Image.Resampling.LANCZOS).tobytes()
        falls = (pixels[row + x] > pixels[row + x + 1] for row in range(0, 72, 9) for x in range(8))
        bits = sum(fall << place for place, fall in enumerate(falls))
        return cls(bits, copy, ImageStat.Stat(copy).stddev[0])

    def matches(self, other: "PerceptualHash") -> bool:
        return (self.bits ^ other.bits).bit_count() <= _MOST_BITS and self._apart(
            other
        ) <= _MOST_APART * other.contrast

    def _apart(self, other: "PerceptualHash") -> float:
        """Root mean square of the differences in grey."""
        from PIL import ImageChops, ImageStat  # noqa: PLC0415

        return ImageStat.Stat(ImageChops.difference(self.copy, other.copy)).rms[0]

"""The captions that the OCR captioner gives of a drawn screen."""

import io
from functools import cache
from typing import NamedTuple

from experiments.drawn_screens.drawing_pen import Screen
from racro.embedded.composer import compose
from racro.embedded.reader import OcrReader
from services.captioner.images import decode_image
from services.captioner.settings import CaptionerSettings, OcrSettings

_LIMITS = CaptionerSettings().image_limits
# As the captioner does without settings.
_CHARS = 4 * OcrSettings().max_tokens


class Captions(NamedTuple):
    """The caption by default, and under the profile `screen`."""

    general: str
    screen: str


def read_screen(screen: Screen) -> Captions:
    """Return both captions of a screen, whose PNG is read once, as a worker of the captioner does.

    Raises InvalidImage or TooLarge.
    """
    buffer = io.BytesIO()
    screen.image.save(buffer, "PNG")
    fit = OcrSettings().fit
    image = decode_image(buffer.getvalue(), param="images[0]", limits=_LIMITS, fit=fit)
    words, pixels = _reader().read(image, max_chars=_CHARS)
    general, verbatim = (
        compose(words, pixels, max_chars=_CHARS, as_it_stands=as_it_stands)[0]
        for as_it_stands in (False, True)
    )
    return Captions(general, verbatim)


@cache
def _reader() -> OcrReader:
    return OcrReader(threads=1)

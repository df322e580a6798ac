"""Reading: rapidocr in process, on the CPU."""

import hashlib
import threading
from importlib.metadata import version
from pathlib import Path

import numpy as np
import rapidocr
from numpy.typing import NDArray
from PIL import Image
from rapidocr.utils.output import RapidOCROutput

from racro.embedded.composer import Word

RELEASE = version("rapidocr")

# In pixels, of the longer side: what rapidocr itself shrinks larger pictures to, but slowly.
_LARGEST_SIDE = 2000
# rapidocr enlarges the short side to 736 pixels: of 1x5000 that would make 2,700 megapixels.
_MOST_ELONGATED = 8
PREPARATION = f"at most {_LARGEST_SIDE} pixels, 1 : {_MOST_ELONGATED}"

Pixels = NDArray[np.uint8]


class OcrReader:
    """May be called from several threads; recognition itself uses `threads`."""

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._local = threading.local()

    def read(self, image: Image.Image) -> tuple[list[Word], Pixels]:
        """(the words of an RGB image, the pixels that their boxes refer to: height x width x 3).

        Of an image larger than 2,000 pixels a smaller one is read.
        """
        if max(image.size) > _LARGEST_SIDE:
            image = image.copy()
            image.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE), reducing_gap=2)
        found = self._engine()(np.asarray(_less_thin(image))[:, :, ::-1])
        pixels = np.asarray(image)
        if not isinstance(found, RapidOCROutput) or found.boxes is None:
            return [], pixels
        read = zip(found.txts or (), found.boxes, found.scores or (), strict=True)
        words = [
            _word(text, box, score)
            for text, box, score in read
            # Gridlines are read as dashes and underscores.
            if any(character.isalnum() for character in text)
        ]
        return words, pixels

    def _engine(self) -> rapidocr.RapidOCR:
        """This thread's own: one is not safe to share."""
        if not hasattr(self._local, "engine"):
            self._local.engine = rapidocr.RapidOCR(
                params={
                    "Global.log_level": "critical",
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                }
            )
        engine: rapidocr.RapidOCR = self._local.engine
        return engine


def models_revision() -> str:
    """SHA-256 of the models that rapidocr carries, shortened."""
    models = sorted((Path(rapidocr.__file__).parent / "models").glob("*.onnx"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in models)).hexdigest()[:16]


def _word(text: str, corners: NDArray[np.float32], score: float) -> Word:
    left, top = corners.min(axis=0).tolist()
    right, bottom = corners.max(axis=0).tolist()
    return Word(text, left, top, right, bottom, score)


def _less_thin(image: Image.Image) -> Image.Image:
    """The RGB image itself, or on a white canvas whose sides are at most 1 : 8."""
    shortest = max(image.size) // _MOST_ELONGATED
    width, height = max(image.width, shortest), max(image.height, shortest)
    if (width, height) == image.size:
        return image
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(image)
    return canvas

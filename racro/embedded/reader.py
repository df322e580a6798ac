"""Reading: rapidocr in process, on the CPU."""

import hashlib
import math
import re
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path

import cv2
import numpy as np
import rapidocr
from numpy.typing import NDArray
from PIL import Image
from rapidocr.ch_ppocr_det import TextDetOutput

from racro.embedded.composer import Word
from racro.embedded.default import READ_SIDE

RELEASE = version("rapidocr")

# In pixels, of the longer side, of what text is looked for in at first.
_FIRST_SIDE = 960
# Where nothing is found in less than this share of a picture's size, its text may be too small.
_MUCH_SMALLER = 0.75
# Pixels there, of the boxes' median height: lower text is looked for again, enlarged to the second.
_SMALL_TEXT, _ENLARGED_TEXT = 20, 26
# The mean of a dark picture's pixels. Text that is light on dark is found better as its negative.
_DARK = 100
# Of what is looked through: each million takes 200 MiB, and 0.5 to 0.9 s of a core.
_MOST_PIXELS = 1_600_000
# A thinner picture is put on white: the network's sides are at least 32 pixels.
_MOST_ELONGATED = 8
_STRIDE = 32
# Of rapidocr's boxes: its own 1.6 times is for text enlarged further, and takes in gridlines here.
_UNCLIP_RATIO = 1.1
# Of the outlines in a picture, from its bottom, rapidocr weighs no more than this: noise has more.
_MOST_OUTLINES = 10_000
# Of its height: what is read of a line beside its box, at its ends and above and below it. Without,
# underscores and quotation marks are cut off.
_MARGINS = (0.1, 0.05, 0.15)
# A line is lower among its margins, and would be read from fewer pixels: it is made wider by this.
_WIDER = 1.15
# Which way up a line stands is told by its beginning, of 1 : 8: squeezed into the classifier's
# 1 : 4, a long one is taken for its reverse. The score is rapidocr's own bound.
_HEAD, _SURELY_TURNED = 8, 0.9
# Text is read at a height of 48 pixels. Shorter pieces are padded to a width of 96: rapidocr's own
# 320 makes a number cost as much as a line.
_READ_HEIGHT, _LEAST_READ_WIDTH = 48, 96
# A longer line is read in parts: the memory of reading one grows with its length.
_LONGEST_PIECE = 64
# What is read of a picture, laid in a row at that height: so much for a letter of the caption, and
# between what a chart may have beside it (5,000 letters, 10 s of a core) and twice that.
_READ_WIDTH_OF_LETTER = 30
_LEAST_READ_IN_ALL, _MOST_READ_IN_ALL = 120_000, 240_000
# Of a page of a document at least: eight have what a picture has.
LEAST_READ_OF_PAGE = _LEAST_READ_IN_ALL // 8

_BRACKETS = re.compile(r"[\[\](){};,]+")
_MARKED_NUMBER = re.compile(r"^([0-9][0-9.,]{0,15})[-–—_]$")
_ZERO_IN_CAPITALS = re.compile(r"(?<=[A-Z]{3})0(?=[A-Z])|(?<=\bINF)0\b")

PREPARATION = (
    f"at most {READ_SIDE} pixels, 1 : {_MOST_ELONGATED}; "
    f"found at {_FIRST_SIDE}, text below {_SMALL_TEXT} again at {_ENLARGED_TEXT} "
    f"or, below {_MUCH_SMALLER}, at 1 in {_MOST_PIXELS} pixels, negative below {_DARK}, "
    f"unclipped by {_UNCLIP_RATIO}; "
    f"read with margins of {_MARGINS}, {_WIDER} as wide, "
    f"in pieces of at most 1 : {_LONGEST_PIECE}, "
    f"turned by their first {_HEAD} at {_SURELY_TURNED}, "
    f"padded to {_LEAST_READ_WIDTH}, {_READ_WIDTH_OF_LETTER} a letter of the caption, "
    f"{_LEAST_READ_IN_ALL} to {_MOST_READ_IN_ALL} in all"
)

Pixels = NDArray[np.uint8]
# One for each piece of text: its four corners, as x and y.
Boxes = NDArray[np.float32]


class OcrReader:
    """Reads the text of pictures, in `threads` threads of a core each; for one caller at a time."""

    def __init__(self, *, threads: int) -> None:
        self._threads = threads

    def read(
        self, image: Image.Image, *, max_chars: int = 0, least_width: int = _LEAST_READ_IN_ALL
    ) -> tuple[list[Word], Pixels]:
        """Return the words of an RGB image and the pixels (height x width x 3) of their boxes.

        Of an image larger than 2,000 pixels a smaller one is read. Of much text the upper part is,
        at least 5,000 letters and at most 10,000, as a caption of `max_chars` needs; the rest are
        words without a text. `least_width`, in pixels at a height of 48, is that of the least.
        """
        if max(image.size) > READ_SIDE:
            image = image.copy()
            image.thumbnail((READ_SIDE, READ_SIDE), reducing_gap=2)
        canvas = _less_thin(image)
        boxes = self._find(canvas)
        width = min(max(_READ_WIDTH_OF_LETTER * max_chars, least_width), _MOST_READ_IN_ALL)
        return self._recognize(canvas, boxes, width), np.asarray(image)

    def _find(self, image: Image.Image) -> Boxes:
        """Return where text stands, from the top; it is looked for again where it is small."""
        scale = min(1, _FIRST_SIDE / max(image.size))
        boxes = self._detect(image, scale)
        height = float(np.median(_heights(boxes))) * scale if len(boxes) else 0
        if height >= _SMALL_TEXT or (not height and scale > _MUCH_SMALLER):
            return boxes
        enlarged = scale * _ENLARGED_TEXT / height if height else 1
        most = math.sqrt(_MOST_PIXELS / (image.width * image.height))
        return self._detect(image, min(enlarged, most))

    def _detect(self, image: Image.Image, scale: float) -> Boxes:
        width, height = (max(1, round(side * scale / _STRIDE)) * _STRIDE for side in image.size)
        resized = _bgr(image.resize((width, height), Image.Resampling.BILINEAR))
        found = self._engine(255 - resized if resized.mean() < _DARK else resized)
        if not isinstance(found, TextDetOutput) or found.boxes is None:
            return np.empty((0, 4, 2), np.float32)
        return np.asarray(found.boxes * (image.width / width, image.height / height), np.float32)

    def _recognize(self, image: Image.Image, boxes: Boxes, most_width: int) -> list[Word]:
        boxes = _in_pieces(boxes)
        affordable = _affordable(boxes, most_width)
        unread = [_word("", box, 0) for box in boxes[affordable:]]
        if not affordable:
            return unread
        read = self._read(_bgr(image), boxes[:affordable])
        words = [
            _word(text, box, score)
            for (text, score), box in zip(read, boxes, strict=False)
            # Gridlines are read as dashes and underscores; in code brackets stand alone in a line.
            if score >= self._engine.text_score
            and (any(map(str.isalnum, text)) or _BRACKETS.fullmatch(text))
        ]
        return words + unread

    def _read(self, pixels: Pixels, boxes: Boxes) -> list[tuple[str, float]]:
        """Return the text of each box and how surely it is read.

        A line that seems to stand on its head among others that do not is read both ways.
        """
        crops = [_widened(crop) for crop in self._crops(pixels, _with_margins(boxes, pixels))]
        turned = self._are_turned(self._crops(pixels, boxes))
        read = self._texts(
            [np.rot90(crop, 2 * is_turned) for crop, is_turned in zip(crops, turned, strict=True)]
        )
        doubtful = [at for at, is_turned in enumerate(turned) if is_turned]
        if doubtful and len(doubtful) <= len(turned) / 2:
            as_they_are = self._texts([crops[at] for at in doubtful])
            for at, upright in zip(doubtful, as_they_are, strict=True):
                read[at] = max(read[at], upright, key=itemgetter(1))
        return read

    def _crops(self, pixels: Pixels, boxes: Boxes) -> list[Pixels]:
        crops: list[Pixels] = self._engine.crop_text_regions(pixels, boxes)
        return crops

    def _texts(self, crops: Sequence[Pixels]) -> list[tuple[str, float]]:
        read = self._engine.recognize_txt(list(crops))
        return list(zip(read.txts or (), read.scores or (), strict=True))

    def _are_turned(self, crops: Sequence[Pixels]) -> list[bool]:
        """Return whether the text of each crop stands on its head, by its beginning."""
        heads = [crop[:, : _HEAD * len(crop)] for crop in crops]
        _, found = self._engine.cls_and_rotate(heads)
        return [label == "180" and score > _SURELY_TURNED for label, score in found.cls_res or ()]

    @cached_property
    def _engine(self) -> rapidocr.RapidOCR:
        """Called, it finds text in an image as it is: resizing, cropping and reading are ours."""
        engine = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Global.use_rec": False,
                "Global.use_preprocess_img": False,
                "Global.use_vertical_padding": False,
                "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.limit_type": "max",
                "Det.limit_side_len": _MOST_ELONGATED * READ_SIDE,
                "Det.unclip_ratio": _UNCLIP_RATIO,
                "Det.use_dilation": False,
                "Det.max_candidates": _MOST_OUTLINES,
                "Rec.rec_img_shape": [3, _READ_HEIGHT, _LEAST_READ_WIDTH],
                # On one core a batch is no quicker, pads, and takes the memory of all its pieces.
                "Rec.rec_batch_num": 1,
            }
        )
        # Its models are loaded by use: now, and not by the first picture that has text.
        blank = np.zeros((_READ_HEIGHT, _LEAST_READ_WIDTH, 3), np.uint8)
        engine.recognize_txt(engine.cls_and_rotate([blank])[0])
        return engine


def models_revision() -> str:
    """SHA-256 of the models that rapidocr carries, shortened."""
    models = sorted((Path(rapidocr.__file__).parent / "models").glob("*.onnx"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in models)).hexdigest()[:16]


def _sides(boxes: Boxes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the lengths of the upper and of the left side of each box, in pixels."""
    return (
        np.linalg.norm(boxes[:, 0] - boxes[:, 1], axis=1),
        np.linalg.norm(boxes[:, 0] - boxes[:, 3], axis=1),
    )


def _heights(boxes: Boxes) -> NDArray[np.float32]:
    """Return the shorter side of each box: the height of its text, even of text written upwards."""
    return np.minimum(*_sides(boxes))


def _in_pieces(boxes: Boxes) -> Boxes:
    """Return the boxes, those that are longer than 64 times their height cut into equal parts."""
    widths, heights = _sides(boxes)
    pieces = [np.empty((0, 4, 2), np.float32)]
    for box, width, height in zip(boxes, widths, heights, strict=True):
        # rapidocr turns a tall crop counterclockwise: its text begins at the upper right corner.
        corners = np.roll(box, -1, axis=0) if height > width else box
        ratio = max(width, height) / max(min(width, height), 1)
        cuts = np.linspace(0, 1, math.ceil(ratio / _LONGEST_PIECE) + 1)[:, None]
        upper = corners[0] + cuts * (corners[1] - corners[0])
        lower = corners[3] + cuts * (corners[2] - corners[3])
        parts = np.stack([upper[:-1], upper[1:], lower[1:], lower[:-1]], axis=1)
        pieces.append(parts if len(parts) > 1 else box[None])
    return np.concatenate(pieces, dtype=np.float32)


def _widened(crop: Pixels) -> Pixels:
    """Return a crop as wide as its text is read, along the text."""
    height, width = crop.shape[:2]
    return np.asarray(cv2.resize(crop, (max(1, round(_WIDER * width)), height)), np.uint8)


def _with_margins(boxes: Boxes, pixels: Pixels) -> Boxes:
    """Return the boxes with what is read beside them, within the picture."""
    widths, heights = _sides(boxes)
    thickness = np.minimum(widths, heights)[:, None]
    across = thickness * (boxes[:, 1] - boxes[:, 0]) / np.maximum(widths, 1)[:, None]
    down = thickness * (boxes[:, 3] - boxes[:, 0]) / np.maximum(heights, 1)[:, None]
    ends, above, below = _MARGINS
    # Of text that is written upwards or downwards the ends are above and below.
    is_upright = (heights > widths)[:, None]
    sides = np.where(is_upright, (above + below) / 2, ends) * across
    over, under = (np.where(is_upright, ends, margin) * down for margin in (above, below))
    grown = boxes + np.stack([-sides - over, sides - over, sides + under, under - sides], axis=1)
    return np.asarray(np.clip(grown, 0, pixels.shape[1::-1]), np.float32)


def _affordable(boxes: Boxes, most_width: int) -> int:
    """Return how many boxes, from the first, fit into a row of that width."""
    ratios = np.maximum(*_sides(boxes)) / np.maximum(_heights(boxes), 1)
    widths = np.maximum(_READ_HEIGHT * ratios, _LEAST_READ_WIDTH)
    return int(np.searchsorted(np.cumsum(widths), most_width, side="right"))


def _word(text: str, corners: NDArray[np.float32], score: float) -> Word:
    # INF0 and ERR0R stand in every log, for INFO and ERROR.
    text = _ZERO_IN_CAPITALS.sub("O", text)
    # The mark of an axis beside its number.
    text = _MARKED_NUMBER.sub(r"\1", text)
    left, top = corners.min(axis=0).tolist()
    right, bottom = corners.max(axis=0).tolist()
    return Word(text, left, top, right, bottom, score)


def _bgr(image: Image.Image) -> Pixels:
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


def _less_thin(image: Image.Image) -> Image.Image:
    """The RGB image itself, or on a white canvas whose sides are at most 1 : 8."""
    shortest = max(image.size) // _MOST_ELONGATED
    width, height = max(image.width, shortest), max(image.height, shortest)
    if (width, height) == image.size:
        return image
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(image)
    return canvas

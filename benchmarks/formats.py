"""What the captioner's worker takes to decode a photograph of 12 megapixels, by its format."""

import io
import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image

from benchmarks.report import Row
from racro.base.size import Fit
from services.captioner.image_work import prepare_decoding
from services.captioner.images import decode_image
from services.captioner.settings import CaptionerSettings, OcrSettings

_SIZE = (4000, 3000)
_GRAIN = (1000, 750)
# Each format as cameras, scanners and programs write it: Pillow's name, and how it is saved.
_FORMATS: dict[str, tuple[str, dict[str, object]]] = {
    "PNG": ("PNG", {"compress_level": 1}),
    "JPEG": ("JPEG", {"quality": 90}),
    "JPEG, progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "GIF": ("GIF", {}),
    "WebP": ("WEBP", {"quality": 80, "method": 0}),
    "WebP, lossless": ("WEBP", {"lossless": True, "quality": 0, "method": 0}),
    "AVIF": ("AVIF", {"quality": 70, "speed": 10}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF, JPEG": ("TIFF", {"compression": "jpeg"}),
    "JPEG 2000": ("JPEG2000", {"quality_mode": "rates", "quality_layers": [10]}),
}
_TARGET_S, _TARGET_MIB = 1, 256
_KIB = 1024


def run() -> list[Row]:
    """Return CPU seconds and memory of each format, at the size that OCR reads and in full."""
    photograph = _photograph()
    wanted: dict[str, Fit] = {"for OCR": OcrSettings().fit, "in full": _same}
    rows: list[Row] = []
    for name, (form, options) in _FORMATS.items():
        buffer = io.BytesIO()
        photograph.save(buffer, form, **options)
        for purpose, fit in wanted.items():
            cpu_s, mib = _in_a_process(buffer.getvalue(), fit)
            rows += [
                Row("formats", f"{name}, {purpose}", cpu_s, "CPU s", _TARGET_S),
                Row("formats", f"{name}, {purpose}", mib, "MiB", _TARGET_MIB),
            ]
    return rows


def _same(size: tuple[int, int]) -> tuple[int, int]:
    return size


def _photograph() -> Image.Image:
    """Return shapes with grain: noise as it is compresses as no photograph does."""
    pixels = random.Random(12)
    grain = Image.frombytes("RGB", _GRAIN, pixels.randbytes(3 * _GRAIN[0] * _GRAIN[1]))
    shapes = Image.frombytes("RGB", (8, 6), pixels.randbytes(144))
    return Image.blend(
        shapes.resize(_SIZE, Image.Resampling.BICUBIC),
        grain.resize(_SIZE, Image.Resampling.BICUBIC),
        0.1,
    )


def _in_a_process(data: bytes, fit: Fit) -> tuple[float, float]:
    """Return CPU seconds and MiB of a new process, beyond those of its imports."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=prepare_decoding) as worker:
        return worker.submit(partial(_decoding, data, fit)).result()


def _decoding(data: bytes, fit: Fit) -> tuple[float, float]:
    limits = CaptionerSettings().image_limits
    Path("/proc/self/clear_refs").write_text("5")
    before_s, before_mib = time.process_time(), _peak_mib()
    decode_image(data, param="images[0]", limits=limits, fit=fit)
    return time.process_time() - before_s, _peak_mib() - before_mib


def _peak_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / _KIB

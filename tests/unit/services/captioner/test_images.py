"""Decoding: any format and mode, upright and on white, at the size that is wanted."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from racro.base.size import Fit
from racro.contracts.errors import InvalidImage, RacroError, TooLarge, UnsupportedMediaType
from racro.contracts.image_limits import ImageLimits
from services.captioner.image_size import LongestSide, PixelBounds
from services.captioner.images import decode_image, read_images
from services.captioner.settings import CaptionerSettings
from support.bombs import icon_files
from support.heic import turned
from support.pictures import (
    data_url,
    declaring,
    encoded,
    gif_declaring,
    jpeg_declaring,
    png,
    text_picture,
    webp_declaring,
)
from support.processes import PATIENCE_S

ORIENTATION = 0x112
SIZE = (1203, 905)


def limits(**more) -> ImageLimits:
    return CaptionerSettings(**more).image_limits


def decode(data: bytes, *, side: int | None = None, **more) -> Image.Image:
    fit = {} if side is None else {"fit": LongestSide(side)}
    return decode_image(data, param="images[0]", limits=limits(**more), **fit)


def photograph() -> Image.Image:
    """Smooth, and different in each direction and each corner."""
    across, down = (Image.linear_gradient("L").rotate(turn).resize(SIZE) for turn in (0, 90))
    return Image.merge("RGB", (across, down, ImageChops.difference(across, down)))


def see_through() -> Image.Image:
    image = photograph()
    image.putalpha(Image.radial_gradient("L").resize(SIZE))
    return image


def grey_16_bit() -> Image.Image:
    grey = np.asarray(photograph().convert("L"), dtype=np.uint16)
    return Image.fromarray(grey * 256 + 17)


MODES: dict[str, Callable[[], bytes]] = {
    "rgb": lambda: encoded(photograph()),
    "rgba": lambda: encoded(see_through()),
    "grey": lambda: encoded(photograph().convert("L")),
    "grey-alpha": lambda: encoded(see_through().convert("LA")),
    "grey-16-bit": lambda: encoded(grey_16_bit()),
    "black-and-white": lambda: encoded(photograph().convert("1")),
    "palette": lambda: encoded(photograph().quantize(64)),
    "palette-see-through": lambda: encoded(
        photograph().quantize(64), transparency=bytes(range(0, 256, 4))
    ),
    "gif": lambda: encoded(photograph().quantize(64), "GIF"),
    "webp": lambda: encoded(photograph(), "WEBP"),
    "webp-see-through": lambda: encoded(see_through(), "WEBP", lossless=True),
    "jpeg": lambda: encoded(photograph(), "JPEG", quality=95),
    "jpeg-progressive": lambda: encoded(photograph(), "JPEG", quality=95, progressive=True),
    "jpeg-cmyk": lambda: encoded(photograph().convert("CMYK"), "JPEG", quality=95),
    "avif": lambda: encoded(photograph(), "AVIF", speed=10),
    "avif-see-through": lambda: encoded(see_through(), "AVIF", speed=10),
    "bmp": lambda: encoded(photograph(), "BMP"),
    "bmp-palette": lambda: encoded(photograph().quantize(64), "BMP"),
    "tiff": lambda: encoded(photograph(), "TIFF", compression="tiff_lzw"),
    "tiff-see-through": lambda: encoded(see_through(), "TIFF", compression="tiff_deflate"),
    "tiff-cmyk": lambda: encoded(photograph().convert("CMYK"), "TIFF"),
    "tiff-lab": lambda: encoded(photograph().convert("LAB"), "TIFF"),
    "tiff-jpeg": lambda: encoded(photograph(), "TIFF", compression="jpeg"),
    "tiff-fax": lambda: encoded(photograph().convert("1"), "TIFF", compression="group4"),
    "tiff-grey-16-bit": lambda: encoded(grey_16_bit(), "TIFF"),
    "tiff-float": lambda: encoded(photograph().convert("F"), "TIFF"),
    "jpeg-2000": lambda: encoded(photograph(), "JPEG2000"),
    "jpeg-2000-see-through": lambda: encoded(see_through(), "JPEG2000"),
    "jpeg-2000-grey": lambda: encoded(photograph().convert("L"), "JPEG2000", no_jp2=True),
}


def farthest(one: Image.Image, other: Image.Image) -> int:
    assert (one.size, one.mode) == (other.size, other.mode)
    return max(high for _, high in ImageChops.difference(one, other).getextrema())


@pytest.mark.parametrize("make", MODES.values(), ids=MODES)
@pytest.mark.parametrize("side", [1000, 600, 300, 100, 7])
def test_decoded_at_a_size_it_is_what_it_would_be_shrunk(make, side) -> None:
    """Up to rounding: a JPEG is shrunk before it is turned to RGB, the others after."""
    data = make()
    whole = decode(data)
    assert whole.size == SIZE
    small = decode(data, side=side)
    expected = whole.resize(LongestSide(side)(SIZE), Image.Resampling.BICUBIC, reducing_gap=2)
    assert farthest(small, expected) <= (5 if data.startswith(b"\xff\xd8") else 3)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_it_is_upright_at_any_size(form, orientation) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(photograph(), form, exif=exif, quality=95)
    tall = orientation in {5, 6, 7, 8}
    assert decode(data).size == (SIZE[::-1] if tall else SIZE)
    small = decode(data, side=300)
    assert small.size == LongestSide(300)(SIZE[::-1] if tall else SIZE)
    upright = decode(data).resize(small.size, Image.Resampling.BICUBIC, reducing_gap=2)
    assert farthest(small, upright) <= 5


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_it_says(form, orientation) -> None:
    turns = Image.Transpose
    turn = {2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM}
    turn |= {5: turns.TRANSPOSE, 6: turns.ROTATE_270, 7: turns.TRANSVERSE, 8: turns.ROTATE_90}
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(photograph(), form, exif=exif, quality=95)
    expected = photograph() if orientation == 1 else photograph().transpose(turn[orientation])
    # Of the colours that the formats lose; a wrong turn makes ten times as much.
    assert mean_difference(decode(data), expected) < 4


@pytest.mark.parametrize("quarters", range(4))
def test_heic_is_turned_as_its_property_says(quarters) -> None:
    """Counterclockwise, by whole quarters."""
    expected = text_picture("42").rotate(90 * quarters, expand=True)
    assert mean_difference(decode(turned(quarters)), expected) < 4


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    assert (one.size, one.mode) == (other.size, other.mode)
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


_WITHOUT_EXTRA = """
import sys
from services.captioner.images import decode_image
from services.captioner.settings import CaptionerSettings
from support.heic import HEIC

try:
    decode_image(HEIC, param="images[0]", limits=CaptionerSettings().image_limits)
except Exception as error:
    print(type(error).__name__, error.param, error.message)
"""


def test_heic_without_its_extra_is_refused_by_name(tmp_path) -> None:
    (tmp_path / "pi_heif.py").write_text("raise ImportError('it is not installed')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_EXTRA],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout.startswith("UnsupportedMediaType images[0] HEIC is read only where")
    assert 'pip install "racro[heif]"' in done.stdout


def test_a_tiff_is_its_first_page() -> None:
    pages = [text_picture(text) for text in ("1", "2", "3")]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert decode(data).tobytes() == pages[0].tobytes()


def test_an_icon_is_its_largest_image() -> None:
    large = text_picture("42", size=(256, 192))
    assert decode(encoded(large, "ICO", sizes=[(16, 12), (256, 192), (64, 48)])).size == (256, 192)


def test_an_icon_has_the_size_of_its_image() -> None:
    """Not the one that its directory says."""
    assert decode(icon_files.large_within(600, 500)).size == (600, 500)


def test_what_is_small_is_not_enlarged() -> None:
    assert decode(png(), side=2000).size == (320, 120)


@pytest.mark.parametrize(
    "make", [declaring, gif_declaring, webp_declaring, jpeg_declaring], ids=lambda f: f.__name__
)
@pytest.mark.parametrize(
    ("size", "kind", "says"),
    [
        ((16_000, 16_000), TooLarge, "16000x16000 pixels; max_image_pixels = 50331648"),
        ((10_000, 49), InvalidImage, "10000x49 pixels, too thin; max_image_aspect = 200"),
        ((49, 10_000), InvalidImage, "max_image_aspect = 200"),
        ((2001, 2000), TooLarge, "max_image_side = 2000"),
    ],
)
def test_a_header_is_enough_to_refuse(make, size, kind, says) -> None:
    strict = limits(max_image_side=2000) if "side" in says else limits()
    with pytest.raises(kind) as refusal:
        read_images([data_url(png()), data_url(make(*size))], strict)
    assert says in refusal.value.message
    assert refusal.value.param == "images[1]"


def test_every_copy_counts() -> None:
    """Each is decoded."""
    images = [data_url(declaring(7000, 7000))] * 4
    assert len(read_images(images, limits())) == 4
    with pytest.raises(TooLarge, match="max_request_pixels = 200000000") as refusal:
        read_images([*images, data_url(declaring(2001, 2000))], limits())
    assert refusal.value.param == "images"


def test_a_file_of_too_many_bytes_is_refused() -> None:
    data = png()
    [file] = read_images([data_url(data)], limits(max_image_bytes=len(data)))
    assert file.data == data
    with pytest.raises(TooLarge, match="max_image_bytes"):
        read_images([data_url(data)], limits(max_image_bytes=len(data) - 1))


@pytest.mark.parametrize("form", ["PPM", "TGA"])
def test_another_format_is_refused(form) -> None:
    with pytest.raises(UnsupportedMediaType):
        read_images([data_url(encoded(photograph(), form))], limits())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (declaring(10_000, 10_000), "max_image_pixels = 50331648"),
        (webp_declaring(6000, 5000), "half of max_image_pixels"),
        (declaring(300, 1), "max_image_aspect"),
        (png()[:-200], "damaged"),
    ],
    ids=["png", "webp", "thin", "cut"],
)
def test_the_decoder_believes_no_header_that_was_read_before(data, says) -> None:
    with pytest.raises(RacroError) as refusal:
        decode(data)
    assert says in refusal.value.message


def in_another_process(data: bytes, fit: Fit) -> Image.Image:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        call = partial(decode_image, data, param="images[1]", limits=limits(), fit=fit)
        return pool.submit(call).result(PATIENCE_S)


def test_it_can_be_called_in_another_process() -> None:
    bounds = PixelBounds(min_pixels=3136, max_pixels=10_000, side_multiple=28)
    assert in_another_process(png(), bounds).size == bounds((320, 120))
    with pytest.raises(InvalidImage) as refusal:
        in_another_process(png()[:-200], LongestSide(2000))
    assert (refusal.value.param, "damaged" in refusal.value.message) == ("images[1]", True)


# Prints by how many bytes the process has grown at most while it decoded.
_MEASURE = """
import resource, sys
from pathlib import Path
from PIL import Image
from services.captioner.image_size import LongestSide, PixelBounds
from services.captioner.images import decode_image
from services.captioner.settings import CaptionerSettings

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

data, limits = Path(sys.argv[1]).read_bytes(), CaptionerSettings().image_limits
Image.preinit()
before = peak()
decode_image(data, param="images[0]", limits=limits, fit=LongestSide(2000))
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("make", "bytes_a_pixel"),
    [
        (lambda size: encoded(Image.new("P", size), transparency=0), 2),
        (lambda size: encoded(Image.new("I;16", size)), 3.5),
        (lambda size: encoded(Image.new("RGBA", size)), 5),
        (lambda size: encoded(Image.new("RGB", size), "JPEG"), 1.5),
    ],
    ids=["palette", "grey-16-bit", "rgba", "jpeg"],
)
def test_an_image_is_never_turned_to_rgb_as_a_whole(tmp_path, make, bytes_a_pixel) -> None:
    """That would take twelve bytes a pixel more where it is transparent, eight of sixteen bits."""
    size = (8000, 6000)
    file = tmp_path / "image"
    file.write_bytes(make(size))
    command = [sys.executable, "-c", _MEASURE, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert int(done.stdout) <= bytes_a_pixel * size[0] * size[1]

"""Only whole images of the gateway's formats and size are problems' images."""

import zlib

import pytest
from PIL import Image

from racro.problems.encoded_images import MOST_PIXELS, check
from racro.problems.problem import InvalidProblem
from support.diagrams import noise
from support.pictures import encoded

KINDS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000")


@pytest.mark.parametrize("kind", KINDS)
def test_whole_images_pass(kind) -> None:
    check(noise(1, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_image_is_refused(kind) -> None:
    data = noise(1, kind)
    with pytest.raises(InvalidProblem, match="no whole"):
        check(data[: len(data) * 2 // 3])


def test_a_damaged_png_is_refused() -> None:
    data = bytearray(noise(1))
    data[len(data) // 2] ^= 255
    with pytest.raises(InvalidProblem, match="no whole"):
        check(bytes(data))


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<svg/>", noise(1, "PPM")])
def test_what_is_no_such_image_is_refused(data) -> None:
    with pytest.raises(InvalidProblem, match="no whole"):
        check(data)


@pytest.mark.parametrize("side", [7_095, 10_000, 20_000])
def test_more_pixels_than_the_gateway_takes_are_refused(side) -> None:
    """Also where Pillow itself warns of them (89 million) or refuses them (179 million)."""
    image = encoded(Image.new("1", (16, 16)))
    header = image[12:16] + side.to_bytes(4) * 2 + image[24:29]
    large = image[:12] + header + zlib.crc32(header).to_bytes(4) + image[33:]
    with pytest.raises(InvalidProblem, match=f"more than {MOST_PIXELS} pixels"):
        check(large)

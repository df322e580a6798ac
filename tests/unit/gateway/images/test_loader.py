"""Images at the edge: sniffed, counted, measured, digested; never decoded, never trusted."""

import base64
import hashlib
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.images.fetch import Fetcher
from gateway.images.loader import ImageLoader, ImageSource, read_image
from gateway.settings import FetchSection, LimitsSection
from racro.contracts.errors import (
    InvalidImage,
    InvalidRequest,
    RacroError,
    TooLarge,
    UnsupportedMediaType,
)
from support.pictures import data_url, declaring, encoded, png, text_picture

PNG_HEADER = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"


def read(content: str | bytes, **limits: int):
    return read_image(content, param="images[0]", limits=LimitsSection(**limits))


def param_of_failure(work, content, **limits: int) -> tuple:
    """(field blamed, None) where one of our errors was raised, else (None, result)."""
    try:
        return None, work(content, **limits)
    except RacroError as error:
        return error.param, None


@example("data:;base64," + "A" * 50, 10)
@given(
    st.text() | st.text("AZaz09+/= \n").map("data:image/png;base64,".__add__),
    st.integers(1, 100),
)
def test_no_text_raises_anything_but_our_errors(text, max_image_bytes) -> None:
    blame, image = param_of_failure(read, text, max_image_bytes=max_image_bytes)
    assert blame == "images[0]" or image.data


MAGIC = st.sampled_from(
    [
        b"",
        PNG_HEADER,
        b"\xff\xd8\xff\xe0",
        b"\xff\xd8\xff\xe1\x00\x20Exif\0\0",
        b"\xff\xd8\xff\xc0\x00\x11\x08",
        b"GIF89a",
        b"GIF87a",
        b"RIFF\x20\0\0\0WEBPVP8 ",
        b"RIFF\x20\0\0\0WEBPVP8L",
        b"RIFF\x20\0\0\0WEBPVP8X",
        b"II*\0\x08\0\0\0",
        b"<svg ",
    ]
)


@given(MAGIC, st.binary())
def test_no_bytes_raise_anything_but_our_errors(magic, data) -> None:
    blame, image = param_of_failure(read, magic + data)
    assert blame == "images[0]" or image.data == magic + data


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
    ],
)
@pytest.mark.parametrize("declared", ["image/png", "text/html", ""])
def test_the_media_type_is_that_of_the_bytes(form, media_type, declared) -> None:
    data = encoded(text_picture("42"), form)
    image = read(data_url(data, declared))
    assert image.media_type == media_type
    assert image.data == data
    assert image.digest == hashlib.sha256(data).hexdigest()
    assert image.data_url() == data_url(data, media_type)


@pytest.mark.parametrize("form", ["BMP", "TIFF", "ICO"])
def test_a_format_that_is_not_supported_is_named_a_media_type(form) -> None:
    with pytest.raises(UnsupportedMediaType, match="PNG, JPEG, GIF and WebP are supported"):
        read(encoded(text_picture("42"), form))


@pytest.mark.parametrize("content", [b"", "data:image/png;base64,"])
def test_an_empty_image_is_invalid(content) -> None:
    with pytest.raises(InvalidImage, match="empty"):
        read(content)


@pytest.mark.parametrize(
    "data", [PNG_HEADER[:8], PNG_HEADER, PNG_HEADER + b"\0" * 8, b"GIF89a", b"\xff\xd8\xff"]
)
def test_a_damaged_header_is_invalid(data) -> None:
    with pytest.raises(InvalidImage, match="header"):
        read(data)


@pytest.mark.parametrize("filling", [b"\xff\xe0\0\x02", b"\xff"])
def test_a_header_of_endless_segments_is_invalid(filling) -> None:
    frame = b"\xff\xc0\0\x11\x08\0\x08\0\x08\x03"
    start = b"\xff\xd8"
    assert read(start + filling * 5000 + frame).media_type == "image/jpeg"
    with pytest.raises(InvalidImage, match="header"):
        read(start + filling * 40_000 + frame)


def data_url_in_lines(data: bytes) -> str:
    head, payload = data_url(data).split(",")
    return ",".join([head, re.sub(".{1,76}", "\\g<0>\n", payload)])


@pytest.mark.parametrize("as_content", [bytes, data_url, data_url_in_lines])
def test_an_image_of_the_byte_limit_passes_and_one_byte_more_does_not(as_content) -> None:
    data = png()
    assert read(as_content(data), max_image_bytes=len(data)).data == data
    with pytest.raises(TooLarge) as refusal:
        read(as_content(data), max_image_bytes=len(data) - 1)
    assert f"{len(data)} bytes" in refusal.value.message
    assert f"max_image_bytes = {len(data) - 1}" in refusal.value.message


def test_pixels_are_counted_as_the_header_declares_them() -> None:
    bomb = PNG_HEADER + (100_000).to_bytes(4) + (50_000).to_bytes(4) + b"\x08\x02\0\0\0"
    with pytest.raises(TooLarge) as refusal:
        read(bomb)
    assert "100000x50000" in refusal.value.message
    assert "max_image_pixels = 50331648" in refusal.value.message


def test_an_image_of_the_pixel_limit_passes_and_one_less_does_not() -> None:
    data = encoded(text_picture("42", size=(20, 10)))
    assert read(data, max_image_pixels=200).data == data
    with pytest.raises(TooLarge, match="max_image_pixels = 199"):
        read(data, max_image_pixels=199)


@pytest.fixture
async def loader():
    fetcher = Fetcher(FetchSection(), max_bytes=10**6)
    yield ImageLoader(LimitsSection(max_images=3), fetcher)
    await fetcher.close()


def sources(*contents: str | bytes) -> list[ImageSource]:
    return [ImageSource(content, f"images[{index}]") for index, content in enumerate(contents)]


async def test_images_are_loaded_in_order_whatever_they_are_given_as(loader) -> None:
    one, two = png("1"), png("2")
    alone = base64.b64encode(two).decode()
    loaded = await loader.load(sources(data_url(one), two, data_url(one), alone))
    assert [image.data for image in loaded] == [one, two, one, two]


@pytest.mark.parametrize("word", ["hello123", "/etc/passwd", "images/holidays/2024/summer", "AAAA"])
def test_a_word_that_is_base64_by_its_letters_is_no_image(word) -> None:
    with pytest.raises(InvalidImage, match=r"http\(s\) URL"):
        read(word)


def test_base64_alone_of_what_is_no_image_is_named_so() -> None:
    with pytest.raises(UnsupportedMediaType):
        read(base64.b64encode(b"no image at all" * 9).decode())


async def test_a_large_image_is_loaded_as_a_small_one_is(loader) -> None:
    large = png() + b"\0" * 200_000
    [image] = await loader.load(sources(data_url(large)))
    assert image.data == large


async def test_too_many_images_are_refused_with_the_limit(loader) -> None:
    with pytest.raises(InvalidRequest, match="4 images; max_images = 3") as refusal:
        await loader.load(sources(*[png(text) for text in "1234"]))
    assert refusal.value.param == "images"


async def test_the_pixels_of_images_that_are_captioned_together_are_bounded() -> None:
    large, other = declaring(700, 700), declaring(701, 700)
    fetcher = Fetcher(FetchSection(), max_bytes=10**6)
    loader = ImageLoader(LimitsSection(max_request_pixels=980_000), fetcher)
    loader.check_together(await loader.load(sources(large, large)))
    for too_many in ([large, other], [large, large, png()]):
        images = await loader.load(sources(*too_many))
        with pytest.raises(TooLarge, match="max_request_pixels = 980000") as refusal:
            loader.check_together(images)
        assert refusal.value.param == "images"
    await fetcher.close()


async def test_an_image_that_is_looked_at_again_is_not_another_image(loader) -> None:
    """Follow-ups of a conversation look at the images of earlier turns."""
    one, two = png("1"), png("2")
    loaded = await loader.load(sources(one, two) * 3)
    assert [image.data for image in loaded] == [one, two] * 3


async def test_the_image_that_is_wrong_is_named(loader) -> None:
    with pytest.raises(UnsupportedMediaType) as refusal:
        await loader.load(sources(png(), b"no image"))
    assert refusal.value.param == "images[1]"

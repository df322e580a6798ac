"""What the images of a request may be: each limit at its edge, and for any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.base.size import Size
from racro.contracts.errors import InvalidImage, RacroError, TooLarge
from racro.contracts.image_limits import ImageLimits

LIMITS = ImageLimits(
    max_image_bytes=100,
    max_image_pixels=1000,
    max_image_side=300,
    max_image_aspect=12.5,
    max_request_pixels=1500,
    max_pages=3,
)
SIDE = st.integers(1, 2000)


PNG, WEBP = "image/png", "image/webp"


def refusal(size: Size, *, media_type: str = PNG) -> RacroError | None:
    try:
        LIMITS.check_size(size, media_type=media_type, param="images[3]")
    except RacroError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("size", "media_type", "kind", "says"),
    [
        ((100, 10), PNG, None, ""),
        ((50, 10), WEBP, None, ""),
        ((50, 4), PNG, None, ""),
        ((91, 11), PNG, TooLarge, "91x11 pixels; max_image_pixels = 1000"),
        ((50, 11), WEBP, TooLarge, "a WebP may have half of max_image_pixels = 1000"),
        ((50, 11), "image/avif", TooLarge, "an AVIF may have half of max_image_pixels = 1000"),
        ((50, 11), "image/heic", TooLarge, "a HEIC may have half of max_image_pixels = 1000"),
        ((50, 7), "image/jp2", TooLarge, "a JPEG 2000 may have 1/3 of max_image_pixels = 1000"),
        ((301, 3), PNG, TooLarge, "301x3 pixels; max_image_side = 300"),
        ((51, 4), PNG, InvalidImage, "51x4 pixels, too thin; max_image_aspect = 12.5"),
        ((13, 1), PNG, InvalidImage, "max_image_aspect = 12.5"),
    ],
)
def test_a_size_is_refused_with_the_limit(size, media_type, kind, says) -> None:
    for turned in (size, size[::-1]):
        found = refusal(turned, media_type=media_type)
        assert type(found) is (kind or type(None))
    if found := refusal(size, media_type=media_type):
        assert (found.param, says in found.message) == ("images[3]", True)


@given(SIDE, SIDE, st.sampled_from([PNG, WEBP]))
def test_what_passes_is_within_all_limits_whichever_way_it_is_turned(width, height, media_type):
    found = refusal((width, height), media_type=media_type)
    fits = (
        width * height * (2 if media_type == WEBP else 1) <= 1000
        and max(width, height) <= 300
        and max(width, height) <= 12.5 * min(width, height)
    )
    assert (found is None) == fits
    assert type(found) is type(refusal((height, width), media_type=media_type))


@given(st.lists(st.integers(1, 1000), max_size=5))
def test_the_pixels_of_all_images_are_summed(pixels) -> None:
    total = sum(pixels)
    if total <= 1500:
        LIMITS.check_request(pixels, param="images")
        return
    with pytest.raises(TooLarge, match=f"{total} pixels together; max_request_pixels = 1500"):
        LIMITS.check_request(pixels, param="images")


def test_an_image_of_the_byte_limit_passes_and_one_byte_more_does_not() -> None:
    LIMITS.check_bytes(100, param="images[0]")
    with pytest.raises(TooLarge, match="101 bytes; max_image_bytes = 100"):
        LIMITS.check_bytes(101, param="images[0]")

"""What the images of a request may be: each limit at its edge, and for any size."""

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racro.contracts.errors import InvalidImage, RacroError, TooLarge
from racro.contracts.image_limits import ImageLimits, Size

LIMITS = ImageLimits(
    max_image_bytes=100,
    max_image_pixels=1000,
    max_image_side=300,
    max_image_aspect=12.5,
    max_request_pixels=1500,
)
SIDE = st.integers(1, 2000)


def refusal(size: Size, *, is_webp: bool = False) -> RacroError | None:
    try:
        LIMITS.check_size(size, is_webp=is_webp, param="images[3]")
    except RacroError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("size", "is_webp", "kind", "says"),
    [
        ((100, 10), False, None, ""),
        ((50, 10), True, None, ""),
        ((50, 4), False, None, ""),
        ((91, 11), False, TooLarge, "91x11 pixels; max_image_pixels = 1000"),
        ((50, 11), True, TooLarge, "a WebP may have half of max_image_pixels = 1000"),
        ((301, 3), False, TooLarge, "301x3 pixels; max_image_side = 300"),
        ((51, 4), False, InvalidImage, "51x4 pixels, too thin; max_image_aspect = 12.5"),
        ((13, 1), False, InvalidImage, "max_image_aspect = 12.5"),
    ],
)
def test_a_size_is_refused_with_the_limit(size, is_webp, kind, says) -> None:
    for turned in (size, size[::-1]):
        found = refusal(turned, is_webp=is_webp)
        assert type(found) is (kind or type(None))
    if found := refusal(size, is_webp=is_webp):
        assert (found.param, says in found.message) == ("images[3]", True)


@given(SIDE, SIDE, st.booleans())
def test_what_passes_is_within_all_limits_whichever_way_it_is_turned(width, height, is_webp):
    found = refusal((width, height), is_webp=is_webp)
    fits = (
        width * height * (2 if is_webp else 1) <= 1000
        and max(width, height) <= 300
        and max(width, height) <= 12.5 * min(width, height)
    )
    assert (found is None) == fits
    assert type(found) is type(refusal((height, width), is_webp=is_webp))


@given(st.lists(st.tuples(SIDE, SIDE), max_size=5))
def test_the_pixels_of_all_images_are_summed(sizes) -> None:
    total = sum(map(prod, sizes))
    if total <= 1500:
        LIMITS.check_request(sizes, param="images")
        return
    with pytest.raises(TooLarge, match=f"{total} pixels together; max_request_pixels = 1500"):
        LIMITS.check_request(sizes, param="images")


def test_an_image_of_the_byte_limit_passes_and_one_byte_more_does_not() -> None:
    LIMITS.check_bytes(100, param="images[0]")
    with pytest.raises(TooLarge, match="101 bytes; max_image_bytes = 100"):
        LIMITS.check_bytes(101, param="images[0]")

"""The size at which an image is decoded and shown to a model."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.captioner.image_size import LongestSide, PixelBounds
from services.captioner.settings import VlmSettings

SIDE = st.integers(1, 9000)
SIZES = [
    (640, 480),
    (1920, 1080),
    (4000, 3000),
    (8660, 5773),
    (20, 20),
    (10, 1000),
    (3000, 15),
    (1, 1),
    (1000, 1500),
]
# What transformers 5.19's `smart_resize` says (image_processing_qwen2_vl.py); a run over 9,992
# random sizes found no other than ours.
AS_TRANSFORMERS = {
    "Qwen2.5-VL": (
        PixelBounds(min_pixels=3136, max_pixels=12_845_056, side_multiple=28),
        [
            (644, 476),
            (1932, 1092),
            (4004, 2996),
            (4368, 2912),
            (56, 56),
            (28, 560),
            (2996, 28),
            (56, 56),
            (1008, 1512),
        ],
    ),
    "Qwen2.5-VL, 3,000 tokens": (
        PixelBounds(min_pixels=3136, max_pixels=2_352_000, side_multiple=28),
        [
            (644, 476),
            (1932, 1092),
            (1764, 1316),
            (1876, 1232),
            (56, 56),
            (28, 560),
            (2996, 28),
            (56, 56),
            (1008, 1512),
        ],
    ),
    "Qwen3-VL": (
        PixelBounds(min_pixels=65_536, max_pixels=16_777_216, side_multiple=32),
        [
            (640, 480),
            (1920, 1088),
            (4000, 3008),
            (4992, 3328),
            (256, 256),
            (32, 2560),
            (3648, 32),
            (256, 256),
            (992, 1504),
        ],
    ),
}


@pytest.mark.parametrize(("bounds", "expected"), AS_TRANSFORMERS.values(), ids=AS_TRANSFORMERS)
def test_sizes_are_those_of_the_models_own_processor(bounds, expected) -> None:
    assert [bounds(size) for size in SIZES] == expected


@pytest.mark.parametrize(
    "bounds", [bounds for bounds, _ in AS_TRANSFORMERS.values()], ids=AS_TRANSFORMERS
)
@given(SIDE, SIDE)
def test_a_fitted_size_stays_as_it_is(bounds, width, height) -> None:
    """What is sent is what the model's processor uses."""
    assume(max(width, height) <= 200 * min(width, height))
    fitted = bounds((width, height))
    assert bounds(fitted) == fitted
    assert bounds.min_pixels <= math.prod(fitted) <= bounds.max_pixels
    assert [side % bounds.side_multiple for side in fitted] == [0, 0]


@given(SIDE, SIDE)
def test_without_bounds_set_only_the_very_large_is_shrunk(width, height) -> None:
    assume(max(width, height) <= 200 * min(width, height))
    fitted = PixelBounds(min_pixels=0, max_pixels=16_777_216)((width, height))
    if width * height <= 16_777_216:
        assert fitted == (width, height)
    else:
        assert math.prod(fitted) <= 16_777_216
        assert fitted[0] / fitted[1] == pytest.approx(width / height, rel=0.01)


@given(SIDE, SIDE, st.integers(1, 3000))
def test_the_longest_side_bounds_both(width, height, longest) -> None:
    fitted = LongestSide(longest)((width, height))
    if max(width, height) <= longest:
        assert fitted == (width, height)
    else:
        assert max(fitted) == longest
        assert min(fitted) == max(1, round(min(width, height) * longest / max(width, height)))


def vlm(**more) -> VlmSettings:
    return VlmSettings.model_validate({"kind": "vlm", **more})


VLLM = {"kind": "vllm", "model": "Qwen/Qwen2.5-VL-7B-Instruct"}


def test_an_engine_that_we_start_keeps_to_the_bounds_that_are_set() -> None:
    assert vlm(engine=VLLM).engine == vlm(engine=VLLM, side_multiple=28).engine
    bounded = vlm(engine=VLLM, max_pixels=2_352_000, min_pixels=3136).engine
    assert bounded.arguments == (
        "--mm-processor-kwargs",
        '{"min_pixels": 3136, "max_pixels": 2352000}',
    )


def test_an_engine_elsewhere_stays_as_it_is() -> None:
    there = {"url": "http://127.0.0.1:9/v1", "model": "m"}
    assert vlm(engine=there).engine == vlm(engine=there, max_pixels=2_352_000).engine


@pytest.mark.parametrize("max_pixels", [None, 16_777_216, 4096])
def test_fewer_pixels_than_more_are_expected(max_pixels) -> None:
    most = max_pixels or 16_777_216
    assert vlm(engine=VLLM, max_pixels=max_pixels, min_pixels=most).fit.min_pixels == most
    with pytest.raises(ValidationError, match=f"at most max_pixels = {most}"):
        vlm(engine=VLLM, max_pixels=max_pixels, min_pixels=most + 1)

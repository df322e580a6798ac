"""What a reasoner is told of a caption that could not be had."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.perception.missing import missing_perception
from racro.contracts.control_tokens import neutralise
from racro.contracts.errors import (
    InvalidImage,
    InvalidRequest,
    Overloaded,
    QueueFull,
    RacroError,
    RateLimited,
    TooLarge,
    UnsupportedMediaType,
    UpstreamOverloaded,
    UrlForbidden,
)
from racro.contracts.prompts import missing_image

OF_IMAGES = (InvalidImage, TooLarge, UnsupportedMediaType, UrlForbidden)
PASSING = (RateLimited, Overloaded, QueueFull, UpstreamOverloaded)
OTHERS = [
    kind for kind in RacroError.tree() if not issubclass(kind, (*OF_IMAGES, RateLimited, *PASSING))
]
messages = st.text() | st.sampled_from(
    ["<|im_start|>system", "a\nb", "x" * 5000, "</visual_context>"]
)


@given(message=messages, kind=st.sampled_from(OF_IMAGES), follow_up=st.booleans())
def test_it_is_one_short_line_without_control_tokens(message, kind, follow_up) -> None:
    reason = missing_perception(kind(message), of_loading=True).reason
    line = missing_image(reason, follow_up=follow_up)
    assert len(line.splitlines()) == 1
    assert neutralise(line) == line
    # A control token is broken by a space.
    assert len(line) < 500


@pytest.mark.parametrize("kind", [*OTHERS, *OF_IMAGES], ids=lambda kind: kind.__name__)
def test_what_others_say_is_not_repeated(kind) -> None:
    assert "10.0.0.1" not in missing_perception(kind("no route to http://10.0.0.1")).reason


@pytest.mark.parametrize(
    "kind",
    [kind for kind in OTHERS if not issubclass(kind, InvalidRequest)],
    ids=lambda kind: kind.__name__,
)
def test_what_is_no_image_s_fault_is_not_repeated_of_loading_either(kind) -> None:
    error = kind("no route to http://10.0.0.1")
    assert "10.0.0.1" not in missing_perception(error, of_loading=True).reason


@pytest.mark.parametrize("kind", PASSING, ids=lambda kind: kind.__name__)
def test_where_asking_again_helps_it_stays_an_error(kind) -> None:
    with pytest.raises(kind):
        missing_perception(kind("later"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            UnsupportedMediaType("this is an SVG; PNG, JPEG and PDF are supported"),
            "this is an SVG",
        ),
        (
            InvalidRequest("messages[0].x: a video cannot be seen; send it", param="messages[0].x"),
            "a video cannot be seen",
        ),
        (TooLarge("it has 9 bytes; max_image_bytes = 5"), "it has 9 bytes; max_image_bytes = 5"),
    ],
    ids=lambda one: getattr(one, "code", ""),
)
def test_it_says_what_is_wrong_and_no_more(error, reason) -> None:
    assert missing_perception(error, of_loading=True).reason == reason

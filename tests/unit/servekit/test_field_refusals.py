"""Which errors of servers are refusals of a field that we sent."""

import pytest

from racro.contracts.errors import InvalidRequest
from racro.servekit.field_refusals import Refusal, refusal

FIELDS = ("stream_options", "top_p", "temperature", "max_tokens")


def refused(message: str, question: str = "How high?", param: str | None = None) -> list[Refusal]:
    """Return what is refused of a request with all four fields."""
    content = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": "x"}}]
    sent = {
        "model": "m",
        "messages": [{"role": "user", "content": content}, {"role": "user", "content": "Say."}],
        **dict.fromkeys(FIELDS, 1),
    }
    error = InvalidRequest(message, param=param)
    return [one for field in FIELDS if (one := refusal(error, sent, field))]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with o3-mini.", "max_tokens"),
        (
            "Unsupported value: 'temperature' does not support 0.6 with this model. Only the "
            "default (1) value is supported.",
            "temperature",
        ),
        ("`temperature` is deprecated for claude-opus-4-7.", "temperature"),
        ("Unrecognized request argument supplied: stream_options", "stream_options"),
        ('Invalid JSON payload received. Unknown name "top_p": Cannot find field.', "top_p"),
        ("1 validation error for Request\ntop_p\n  Extra inputs are not permitted", "top_p"),
        (
            "[{'type': 'extra_forbidden', 'loc': ('body', 'top_p'), 'msg': 'Extra inputs are not "
            "permitted', 'input': 0.95}]",
            "top_p",
        ),
        ("create() got an unexpected keyword argument 'stream_options'", "stream_options"),
        ("This model doesn't support the parameter top_p", "top_p"),
    ],
)
def test_refusals_of_a_field(message, field) -> None:
    assert refused(message) == [Refusal(field, is_certain=True)]


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens=8192 is not supported, the most is 4096",
        "max_tokens 8192 is not supported",
        "Unexpected: max_tokens must be at least 1",
        "Unsupported: temperature has to be between zero and one",
        "Unsupported max_tokens, at most four thousand",
        "Requested tokens not supported: max_tokens plus prompt exceed the window of 8192",
        "The input is not supported because it is long: shorten your prompt or lower the "
        "max_tokens of the request",
        "Unsupported parameter: 'logit_bias'",
        "temperature",
        "Unsupported parameter: 'max_tokens'" + " is not supported" * 40,
    ],
)
def test_what_is_none(message) -> None:
    assert refused(message) == []


def test_a_param_names_the_field_that_a_message_does_not() -> None:
    assert refused("Not supported here", param="top_p") == [Refusal("top_p", is_certain=True)]
    assert refused("Not good", param="top_p") == []
    assert refused("Unsupported: 8192", param="max_tokens") == []


def test_a_question_that_is_quoted_is_none() -> None:
    question = f"Is {' '.join(FIELDS)} NOT supported?"
    assert refused(f"Flagged: '{question}'", question) == []


def test_what_may_be_a_quote_is_uncertain() -> None:
    said = refused("Not allowed: 'temperature'", "What temperature is it?")
    assert said == [Refusal("temperature", is_certain=False)]
    certain = refused("Not allowed", "What temperature is it?", param="temperature")
    assert certain == [Refusal("temperature", is_certain=True)]

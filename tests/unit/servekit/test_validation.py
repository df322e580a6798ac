"""Pydantic's findings as our 400."""

import json

import pytest
from pydantic import BaseModel, ConfigDict

from racro.contracts.errors import InvalidRequest
from racro.servekit.validation import parse_json


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    images: list[Inner]
    question: str


def refused(body: str) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refusal:
        parse_json(Outer, body.encode())
    return refusal.value


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        (
            '{"images": [{"size": "big"}], "question": "q"}',
            "images[0].size",
            "images[0].size: a whole number is expected, not 'big'",
        ),
        ('{"images": [], "question": 5}', "question", "question: text is expected, not 5"),
        (
            '{"images": [{}]}',
            "images[0].size",
            "images[0].size: is required; question: is required",
        ),
        (
            '{"images": [], "qestion": "q"}',
            "question",
            "question: is required; qestion: is unknown; did you mean question?",
        ),
        ("[]", None, "an object with named fields is expected"),
        (
            "{",
            None,
            "this is no valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            '{"images": [], "question": "q", "a": 1, "b": 1, "c": 1, "d": 1}',
            "a",
            "a: is unknown; b: is unknown; c: is unknown (and 1 more)",
        ),
    ],
)
def test_the_first_findings_name_their_fields(body, param, message) -> None:
    error = refused(body)
    assert (error.status, error.param, error.message) == (400, param, message)


def test_a_long_input_is_never_repeated() -> None:
    long = "data:image/png;base64," + "A" * 100
    body = json.dumps({"images": long, "question": {"x": long}, long: long})
    assert "AAAA" * 20 not in refused(body).message


def test_a_million_wrong_fields_are_counted_and_not_told() -> None:
    error = refused(json.dumps({"question": "q", "images": [None] * 10_000}))
    assert error.message.startswith("10000 fields are wrong")


def test_a_long_name_is_cut() -> None:
    error = refused(json.dumps({"images": [], "question": "q", "x" * 10**6: 1}))
    assert len(error.message) < 200
    assert len(error.param) < 100

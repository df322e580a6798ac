"""Pydantic's findings as our 400."""

import json

import pytest
from pydantic import BaseModel, ConfigDict

from racro.contracts.errors import InvalidRequest
from racro.servekit.json_bounds import Bound
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


def test_hundreds_of_wrong_fields_are_counted_and_not_told() -> None:
    error = refused(json.dumps({"question": "q", "images": [None] * 400}))
    assert error.message.startswith("400 fields are wrong")


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({"images": [""] * 1000}, "images", "images: more than max_images = 16"),
        ({"images": [""] * 100_000}, "images", "images: more than max_images = 16"),
        ({"question": [1] * 1000}, "question", "question: more than max_fields = 32"),
        ({f"name{n}": 1 for n in range(600)}, None, "more fields than max_fields = 32"),
        ({f"name{n}": 1 for n in range(60_000)}, None, "more fields than max_fields = 32"),
        ({"question": {"x": [[]] * 1000}}, "question", "question: more than max_fields = 32"),
        ({"x" * 1000: [1] * 1000}, "x" * 64 + "…", "x" * 64 + "…: more than max_fields = 32"),
        ([1] * 1000, None, "this is no JSON object: Expected `object`, got `array`"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_too_many_values_are_refused_by_the_bound(body, param, message) -> None:
    lists = {"images": Bound(16, "max_images")}
    with pytest.raises(InvalidRequest) as refusal:
        parse_json(Outer, json.dumps(body).encode(), fields=Bound(32, "max_fields"), lists=lists)
    assert (refusal.value.param, refusal.value.message) == (param, message)


@pytest.mark.parametrize("commas", [0, 2000], ids=["few", "many"])
def test_many_commas_in_a_text_change_nothing(commas) -> None:
    question = "a" + "," * commas
    body = json.dumps({"question": question, "images": [{"size": 3}]})
    assert parse_json(Outer, body.encode()) == Outer(question=question, images=[Inner(size=3)])


def test_what_no_field_holds_is_not_made_an_object() -> None:
    deep = {"question": [[[1] * 10_000] * 100], "images": [{"size": {"x": [1] * 10_000}}]}
    error = refused(json.dumps(deep))
    assert "question: text is expected" in error.message
    assert "images[0].size: a whole number is expected" in error.message


def test_a_long_name_is_cut() -> None:
    error = refused(json.dumps({"images": [], "question": "q", "x" * 10**6: 1}))
    assert len(error.message) < 200
    assert len(error.param) < 100

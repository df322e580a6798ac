"""Pydantic's findings as our 400."""

import pytest
from pydantic import BaseModel, ValidationError

from racro.servekit.validation import invalid_request


class Inner(BaseModel):
    size: int


class Outer(BaseModel):
    images: list[Inner]
    question: str


@pytest.mark.parametrize(
    ("body", "param", "ending"),
    [
        (
            '{"images": [{"size": "big"}], "question": "q"}',
            "images[0].size",
            "string as an integer",
        ),
        ('{"images": [], "question": 5}', "question", "valid string"),
        ('{"images": [{}]}', "images[0].size", "Field required (and 1 more)"),
        ("[]", None, "object"),
        ("{", None, "column 1"),
    ],
)
def test_the_first_finding_names_its_field(body, param, ending) -> None:
    with pytest.raises(ValidationError) as found:
        Outer.model_validate_json(body)
    error = invalid_request(found.value)
    assert (error.status, error.param) == (400, param)
    assert error.message.endswith(ending)
    assert error.message.startswith(f"{param}: " if param else ("Input", "Invalid"))


def test_the_input_is_never_repeated() -> None:
    with pytest.raises(ValidationError) as found:
        Outer.model_validate_json('{"images": "data:image/png;base64,AAAA", "question": "q"}')
    assert "AAAA" not in invalid_request(found.value).message

"""The contract of /v1/solve."""

import pytest
from pydantic import ValidationError

from racro.contracts.solve_api import SolveRequest

REQUEST = {"question": "Find x.", "images": ["https://example.org/x.png"]}


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"question": " \n"}, "question"),
        ({"question": None}, "question"),
        ({"images": "x.png"}, "images"),
        ({"cache": "never"}, "cache"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": float("nan")}, "timeout_s"),
        ({"temperature": 1}, "temperature"),
    ],
    ids=str,
)
def test_a_wrong_request_is_refused_at_its_field(fields, where) -> None:
    with pytest.raises(ValidationError) as refusal:
        SolveRequest.model_validate({**REQUEST, **fields})
    assert [error["loc"][0] for error in refusal.value.errors()] == [where]


def test_question_and_images_are_enough() -> None:
    request = SolveRequest.model_validate(REQUEST)
    assert (request.model, request.stream, request.tentative) == ("default", False, True)
    assert (request.cache, request.timeout_s) == ("use", 120)


def test_space_around_a_question_is_not_part_of_it() -> None:
    assert SolveRequest.model_validate({**REQUEST, "question": " Find x.\n"}).question == "Find x."

"""The captioner's contract refuses what it does not understand."""

import pytest
from pydantic import ValidationError

from racro.contracts.perception import (
    Generation,
    PerceiveRequest,
    PerceiveResponse,
    Usage,
)

IMAGE = "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"parts": ["caption", "tentative"]}, ()),
        ({"parts": ["tentative"]}, ()),
        ({"question": ""}, ("question",)),
        ({"question": 5}, ("question",)),
        ({"images": []}, ("images",)),
        ({"images": [None]}, ("images", 0)),
        ({"images": None}, ("images",)),
        ({"parts": []}, ("parts",)),
        ({"parts": ["summary"]}, ("parts", 0)),
        ({"stream": "perhaps"}, ("stream",)),
        ({"tenant": "t"}, ("tenant",)),
        ({"options": {"top_p": 1}}, ("options", "top_p")),
        ({"options": {"n": 0}}, ("options", "n")),
        ({"options": {"n": 17}}, ("options", "n")),
        ({"options": {"max_tokens": 0}}, ("options", "max_tokens")),
        ({"options": {"temperature": 2.1}}, ("options", "temperature")),
        ({"options": {"temperature": -0.1}}, ("options", "temperature")),
    ],
    ids=str,
)
def test_a_wrong_request_is_refused_at_its_field(fields, where) -> None:
    with pytest.raises(ValidationError) as refusal:
        PerceiveRequest.model_validate({"images": [IMAGE], **fields})
    assert refusal.value.errors()[0]["loc"] == where


def test_a_tentative_response_needs_a_question() -> None:
    with pytest.raises(ValidationError, match="a tentative response needs a question"):
        PerceiveRequest(images=(IMAGE,), parts=("tentative",))
    assert PerceiveRequest(images=(IMAGE,), parts=("tentative",), question="q").question == "q"


def test_an_image_alone_asks_for_one_general_caption() -> None:
    request = PerceiveRequest(images=(IMAGE,))
    assert (request.question, request.parts, request.options.n) == (None, ("caption",), 1)
    assert not request.stream


def test_messages_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        PerceiveRequest(images=(IMAGE,)).question = "another"


def test_generations_are_found_by_part() -> None:
    response = PerceiveResponse(
        caption=(Generation(text="c"),),
        tentative=(Generation(text="t"),),
        model="m",
        revision="r",
        prompt_profile="p",
        fingerprint="f",
    )
    assert [response.generations(part)[0].text for part in ("caption", "tentative")] == ["c", "t"]


def test_usages_add_up() -> None:
    one, other = (
        Usage(prompt_tokens=1, completion_tokens=20),
        Usage(prompt_tokens=300, completion_tokens=4000),
    )
    assert one + other == Usage(prompt_tokens=301, completion_tokens=4020)

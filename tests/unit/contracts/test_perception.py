"""The captioner's contract refuses what is asked and not understood, and ignores it in answers."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from racro.contracts.perception import (
    Delta,
    Generation,
    Identity,
    PartFailure,
    PerceiveOptions,
    PerceiveRequest,
    PerceiveResponse,
    Usage,
    contract_from_headers,
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


ANSWERS = [
    Identity(model="m", revision="r", prompt_profile="p", fingerprint="f"),
    Delta(part="caption", text="A bar."),
    PerceiveResponse(
        caption=(Generation(text="c", usage=Usage(prompt_tokens=1)),),
        failed={"tentative": PartFailure(code="c", message="m")},
        model="m",
        revision="r",
        prompt_profile="p",
        fingerprint="f",
    ),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(ANSWERS), st.dictionaries(st.text(), JSON))
def test_an_answer_is_read_whatever_a_later_version_adds(answer, further) -> None:
    told = {**further, **answer.model_dump(mode="json")}
    assert type(answer).model_validate_json(json.dumps(told)) == answer


@given(st.dictionaries(st.text(min_size=1), JSON, min_size=1))
def test_a_request_is_refused_where_a_later_version_adds(further) -> None:
    asked = {"images": [IMAGE]}
    new = further.keys() - PerceiveRequest.model_fields.keys()
    assume(new)
    with pytest.raises(ValidationError) as refused:
        PerceiveRequest.model_validate(asked | {name: further[name] for name in new})
    assert {detail["type"] for detail in refused.value.errors()} == {"extra_forbidden"}


@given(st.lists(st.sampled_from(["caption", "tentative"]) | JSON))
def test_parts_of_a_later_version_are_left_out(parts) -> None:
    told = ANSWERS[0].model_dump() | {"parts": parts}
    known = tuple(part for part in parts if part in ("caption", "tentative"))
    assert Identity.model_validate(told).parts == known


@given(st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens"]), JSON) | JSON)
def test_no_count_costs_a_text(usage) -> None:
    generation = Generation.model_validate({"text": "t", "usage": usage})
    assert generation.text == "t"
    if isinstance(usage, dict) and type(usage.get("prompt_tokens")) is int:
        assert generation.usage.prompt_tokens == usage["prompt_tokens"]


@pytest.mark.parametrize(
    ("headers", "contract"),
    [
        ({}, 1),
        ({"x-racro-contract": "1"}, 1),
        ({"x-racro-contract": "2"}, 2),
        ({"x-racro-contract": "30"}, 2),
        *(({"x-racro-contract": said}, 1) for said in ("", "0", "-2", "2.0", "two", "2" * 5000)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_peer_says_which_contract_it_knows(headers, contract) -> None:
    assert contract_from_headers(headers) == contract


def test_contract_1_has_no_options() -> None:
    identity = ANSWERS[0]
    assert identity.as_of(2) == identity.as_of(1) | {
        "options": ["max_tokens", "temperature", "seed", "n"]
    }


@given(st.builds(PerceiveOptions, max_tokens=st.none() | st.integers(1, 9), n=st.integers(1, 3)))
def test_options_that_a_captioner_does_not_accept_are_at_their_defaults(options) -> None:
    identity = ANSWERS[0].model_copy(update={"options": ("n", "unheard_of")})
    assert options.accepted_by(identity) == PerceiveOptions(n=options.n)
    assert options.accepted_by(ANSWERS[0]) == options

"""What refers to responses that nobody keeps is refused, and named."""

import msgspec
import pytest
from msgspec import Raw

from gateway.dialects.openai_responses import ResponsesRequest
from gateway.dialects.stateful_fields import check_stateless, stateful_item
from gateway.settings import LimitsSection, ReasonerSection
from racro.contracts.errors import InvalidRequest

REFERENCE = '{"type": "item_reference", "id": "msg_1"}'


def fields(**values: str) -> dict[str, Raw]:
    return msgspec.json.decode(
        "{" + ", ".join(f'"{name}": {value}' for name, value in values.items()) + "}",
        type=dict[str, Raw],
    )


def items(*values: str) -> list[Raw]:
    return msgspec.json.decode(f"[{', '.join(values)}]", type=list[Raw])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("previous_response_id", '"resp_1"'),
        ("conversation", '"conv_1"'),
        ("conversation", '{"id": "conv_1"}'),
        ("background", "true"),
        ("background", "1"),
        ("prompt", '{"id": "pmpt_1"}'),
    ],
)
def test_fields(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{name}: ") as raised:
        check_stateless(fields(model='"m"', **{name: value}))
    assert raised.value.param == name


@pytest.mark.parametrize("value", ["null", "false", " null "])
def test_what_is_null_or_false_is_absent(value: str) -> None:
    given = fields(previous_response_id=value, conversation=value, background=value, prompt=value)
    check_stateless(given)


def refused(*values: str) -> InvalidRequest | None:
    """Return the refusal of items that were taken apart, which is that of those that were not."""
    given = Raw(f"[{', '.join(values)}]".encode())
    apart, whole = stateful_item(given, items(*values)), stateful_item(given, ())
    assert (apart and apart.message) == (whole and whole.message)
    return apart


@pytest.mark.parametrize(
    "reference",
    [
        REFERENCE,
        '{"id": "msg_1"}',
        '{"id": "msg_1", "type": null}',
        r'{"id": "msg_1", "type": "item\u005freference"}',
        '{"type": "item_reference", "id": "' + "x" * 2000 + '"}',
    ],
)
def test_items(reference: str) -> None:
    said = '{"role": "user", "content": "Hello"}'
    refusal = refused(said, reference, REFERENCE)
    assert refusal is not None
    assert refusal.param == "input[1]"


@pytest.mark.parametrize(
    "item",
    [
        '{"role": "assistant", "id": "msg_1", "content": []}',
        '{"type": "function_call_output", "id": "fc_1", "output": "item_reference"}',
        '{"type": "reasoning", "id": "rs_1", "summary": []}',
        '{"type": 7, "id": "x"}',
        '"text"',
        "[]",
        "null",
        '{"type": "item_reference_of_tomorrow", "id": "x"}',
    ],
)
def test_other_items_pass(item: str) -> None:
    assert refused(item) is None


def test_an_input_that_is_no_list_passes() -> None:
    for given in (b"null", b'"[{}]"', b'{"id": "x"}', b"["):
        assert stateful_item(Raw(given), ()) is None


def test_of_more_objects_than_are_gone_through_none_is() -> None:
    refusal = stateful_item(Raw(b"[" + b"{}," * 2**18 + b"{}]"), ())
    assert refusal is not None
    assert (refusal.param, refusal.message) == ("input", "input: more than 262144 objects")


@pytest.mark.parametrize("more", [0, 2048])
def test_a_long_request_is_looked_through(more: int) -> None:
    """Of more items than `max_messages` none is looked at for images."""
    said = b'{"role": "user", "content": "Hello"}'
    body = b'{"input": [%b, {"id": "msg_1"}]}' % b",".join([said] * (1 + more))
    request = ResponsesRequest(body, follow_up=True, limits=LimitsSection())
    request.check_for(settings(stateful=True))
    with pytest.raises(InvalidRequest) as raised:
        request.check_for(settings())
    assert raised.value.param == f"input[{1 + more}]"


def settings(**more: bool) -> ReasonerSection:
    return ReasonerSection(url="http://127.0.0.1:1", model="served", **more)

"""What refers to responses that nobody keeps is refused, and named."""

import msgspec
import pytest
from msgspec import Raw

from gateway.dialects.stateful_fields import check_stateless
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
    ],
)
def test_fields(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{name}: ") as raised:
        check_stateless(fields(model='"m"', **{name: value}))
    assert raised.value.param == name


@pytest.mark.parametrize("value", ["null", "false", " null "])
def test_what_is_null_or_false_is_absent(value: str) -> None:
    check_stateless(fields(previous_response_id=value, conversation=value, background=value))


@pytest.mark.parametrize(
    "reference",
    [
        REFERENCE,
        '{"id": "msg_1"}',
        '{"id": "msg_1", "type": null}',
        r'{"id": "msg_1", "type": "item\u005freference"}',
    ],
)
def test_items(reference: str) -> None:
    said = '{"role": "user", "content": "Hello"}'
    with pytest.raises(InvalidRequest) as raised:
        check_stateless({}, items(said, reference))
    assert raised.value.param == "input[1]"


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
        '{"type": "item_reference", "id": "' + "x" * 2000 + '"}',
    ],
)
def test_other_items_pass(item: str) -> None:
    check_stateless({"store": Raw(b"true")}, items(item))
